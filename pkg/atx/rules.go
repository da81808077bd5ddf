package atx

import (
	"fmt"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Rules judges ATXs of one network.
type Rules struct {
	Params   Params
	Verifier signing.Verifier
}

// minNonceLabels is the smallest size for which a 32-byte threshold exists.
const minNonceLabels = 9

// nonceLabels is the size that a VRF nonce is measured by: a product of 64 bits
// that wraps, and is then taken as a signed number whose sign is dropped (spec
// 04 §12.3). It is false where no threshold exists.
func nonceLabels(units uint32, labelsPerUnit uint64) (uint64, bool) {
	n := uint64(units) * labelsPerUnit
	if n>>63 == 1 {
		n = -n
	}
	return n, n >= minNonceLabels
}

// NonceThreshold is the number that the label of a VRF nonce must stay below,
// big-endian, and whether there is one (spec 04 §12.3).
func NonceThreshold(units uint32, labelsPerUnit uint64) ([32]byte, bool) {
	n, ok := nonceLabels(units, labelsPerUnit)
	if !ok {
		return [32]byte{}, false
	}
	threshold, err := post.VRFDifficulty(n)
	return threshold, err == nil
}

// checkNonce has a VRF nonce verified, unless its size makes that impossible
// (spec 04 §22.6).
func checkNonce(proofs Proofs, claim post.NonceClaim) error {
	if _, ok := nonceLabels(claim.NumUnits, claim.LabelsPerUnit); !ok {
		return broken(RuleVRFNonce, "%d units of %d labels", claim.NumUnits, claim.LabelsPerUnit)
	}
	valid, err := proofs.Nonce(claim)
	if err != nil {
		return failed("check vrf nonce", err)
	}
	if !valid {
		return broken(RuleVRFNonce, "%d", claim.Nonce)
	}
	return nil
}

// checkInitialPost has all indices of an initial proof verified; its challenge
// is zero.
func checkInitialPost(proofs Proofs, id wire.NodeID, commitment wire.ATXID, units uint32, p *wire.PostV1) error {
	found, err := proofs.Post(PostCheck{
		Statement: post.Statement{NodeID: id, CommitmentATX: commitment, NumUnits: units},
		Post:      p,
		All:       true,
	})
	if err != nil {
		return failed("check initial post", err)
	}
	if !found.Valid {
		return broken(RuleInitialPost, "of %v", id)
	}
	return nil
}

// olderThan wants a stored ATX that was published before an epoch.
func (r *Rules) olderThan(s Reader, id wire.ATXID, publish wire.EpochID, rule Rule) (Row, error) {
	row, err := need(s, id)
	if err != nil {
		return Row{}, err
	}
	if row.PublishEpoch >= publish {
		return Row{}, broken(rule, "%v of epoch %d, in epoch %d", id, row.PublishEpoch, publish)
	}
	return row, nil
}

// baseHeight is where an ATX starts to tick: at the height of its positioning
// ATX, or at 0 on the golden one.
func (r *Rules) baseHeight(s Reader, positioning wire.ATXID, publish wire.EpochID) (uint64, error) {
	if positioning == r.Params.Golden {
		return 0, nil
	}
	row, err := r.olderThan(s, positioning, publish, RulePositioningEpoch)
	return row.Height(), err
}

// checkCommitment wants the golden ATX or an older one.
func (r *Rules) checkCommitment(s Reader, commitment wire.ATXID, publish wire.EpochID) error {
	if commitment == r.Params.Golden {
		return nil
	}
	_, err := r.olderThan(s, commitment, publish, RuleCommitmentEpoch)
	return err
}

// commitmentOf is what the labels of an identity were made with.
func commitmentOf(s Reader, id wire.NodeID) (wire.ATXID, error) {
	commitment, ok, err := s.Commitment(id)
	if err != nil {
		return wire.ATXID{}, failed("read commitment", err)
	}
	if !ok {
		return wire.ATXID{}, broken(RuleNoCommitment, "%v", id)
	}
	return commitment, nil
}

// need reads an ATX that was seen to be there before.
func need(s Reader, id wire.ATXID) (Row, error) {
	row, ok, err := s.ATX(id)
	if err != nil {
		return Row{}, failed("read atx", err)
	}
	if !ok {
		return Row{}, fmt.Errorf("%w: atx %v", ErrMissing, id)
	}
	return row, nil
}

// needPoet reads a PoET proof that was seen to be there before.
func needPoet(s Reader, ref wire.PoetProofRef) (PoetProof, error) {
	proof, ok, err := s.Poet(ref)
	if err != nil {
		return PoetProof{}, failed("read poet proof", err)
	}
	if !ok {
		return PoetProof{}, fmt.Errorf("%w: poet proof %v", ErrMissing, ref)
	}
	return proof, nil
}

func failed(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrState, doing, err)
}

// MissingOf lists the dependencies of a message that are not stored.
func (r *Rules) MissingOf(m *Message, s Reader) (Dependencies, error) {
	all := m.Dependencies(r.Params.Golden)
	var missing Dependencies
	for _, ref := range all.Poets {
		_, ok, err := s.Poet(ref)
		if err != nil {
			return Dependencies{}, failed("read poet proof", err)
		}
		if !ok {
			missing.Poets = append(missing.Poets, ref)
		}
	}
	for _, id := range all.ATXs {
		_, ok, err := s.ATX(id)
		if err != nil {
			return Dependencies{}, failed("read atx", err)
		}
		if !ok {
			missing.ATXs = append(missing.ATXs, id)
		}
	}
	return missing, nil
}
