package proposal

import (
	"errors"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Judge applies the rules of spec 06 §7 for one network.
type Judge struct{ Params Params }

// SyncedBallot judges and keeps a ballot that was fetched by its ID (spec 06
// §7.2). It succeeds for a ballot that is already known.
func (j *Judge) SyncedBallot(w World, blob []byte, want wire.BallotID) (Kept, error) {
	b := new(wire.Ballot)
	if err := codec.Decode(blob, b); err != nil {
		return Kept{}, broke(RuleMalformed, Reject, "%v", err)
	}
	if b.Layer <= j.Params.EffectiveGenesis {
		return Kept{}, broke(RuleBeforeGenesis, Reject, "layer %d", b.Layer)
	}
	if !j.Params.Verifier.Verify(signing.Ballot, b.SmesherID, b.SignedBytes(), b.Signature) {
		return Kept{}, broke(RuleBallotSignature, Reject, "smesher %s", b.SmesherID)
	}
	if id := b.ID(); id != want {
		return Kept{}, broke(RuleWrongID, Reject, "asked for %s, got %s", want, id)
	}
	if err := j.checkATXField(b); err != nil {
		return Kept{}, err
	}
	kept, err := j.Ballot(w, b)
	if rule, ok := RuleOf(err); ok && rule.Rule == RuleKnown {
		return Kept{Known: true}, nil
	}
	return kept, err
}

func (j *Judge) checkATXField(b *wire.Ballot) error {
	if wire.IsZero(b.AtxID) || b.AtxID == j.Params.GoldenATX {
		return broke(RuleNoATX, Reject, "ATX %s", b.AtxID)
	}
	return nil
}

// Ballot judges and keeps a ballot whose signature was verified (spec 06 §7.3).
func (j *Judge) Ballot(w World, b *wire.Ballot) (Kept, error) {
	hash := b.Hash()
	id := wire.BallotID(hash.Truncate())
	if w.BallotKnown(id) {
		return Kept{Known: true}, broke(RuleKnown, Ignore, "ballot %s", id)
	}
	setWeight, err := j.integrity(w, b)
	if err != nil {
		return Kept{}, err
	}
	if err := w.Obtain(b); err != nil {
		return Kept{}, missing(err)
	}
	if err := w.DecodeVotes(b); err != nil {
		return Kept{}, broke(RuleUndecodableVotes, FetchIgnore, "%v", err)
	}
	if err := CheckVotes(b.Layer, &b.Votes, j.Params.Hdist, j.Params.MaxExceptions); err != nil {
		return Kept{}, err
	}
	valid := &Valid{ID: id, Hash: hash, Ballot: b}
	if err := j.eligibility(w, valid, setWeight); err != nil {
		return Kept{}, err
	}
	return w.Keep(valid)
}

// missing gives an error of obtaining dependencies the reaction it deserves.
func missing(err error) error {
	if _, ok := RuleOf(err); ok {
		return err
	}
	return &RuleError{Rule: RuleDependencyMissing, Reaction: Ignore, Detail: err.Error()}
}

// integrity is spec 06 §7.3 step 2. It returns the weight of the active set
// that the ballot names, or 0 where that is not needed.
func (j *Judge) integrity(w World, b *wire.Ballot) (uint64, error) {
	if !wire.IsZero(b.RefBallot) {
		if b.EpochData != nil {
			return 0, broke(RuleEpochDataTwice, Reject, "reference %s", b.RefBallot)
		}
		return 0, nil
	}
	switch {
	case b.EpochData == nil:
		return 0, broke(RuleNoEpochData, Reject, "")
	case wire.IsZero(b.EpochData.Beacon):
		return 0, broke(RuleZeroBeacon, Reject, "")
	case b.EpochData.EligibilityCount == 0:
		return 0, broke(RuleNoSlots, Reject, "")
	}
	_, current := w.Layers()
	lpe := j.Params.LayersPerEpoch
	if uint64(b.Layer.Epoch(lpe))+1 < uint64(current.Epoch(lpe)) {
		return 0, nil
	}
	weight, err := w.ActiveSetWeight(b.EpochData.ActiveSetHash)
	if err != nil {
		return 0, missing(err)
	}
	return weight, nil
}

// eligibility is spec 06 §7.6. It fills what the ballot counts with.
func (j *Judge) eligibility(w World, v *Valid, setWeight uint64) error {
	b := v.Ballot
	if len(b.EligibilityProofs) == 0 {
		return broke(RuleNoProofs, Reject, "")
	}
	epoch := b.Layer.Epoch(j.Params.LayersPerEpoch)
	atx, ok := w.ATX(epoch, b.AtxID)
	if !ok {
		return broke(RuleATXUnknown, Ignore, "ATX %s in epoch %d", b.AtxID, epoch)
	}
	if atx.Node != b.SmesherID {
		return broke(RuleForeignATX, Reject, "ATX of %s", atx.Node)
	}
	v.ATX = atx
	if err := j.slots(w, v, epoch, setWeight); err != nil {
		return err
	}
	return j.proofs(w, v, epoch)
}

// slots finds beacon and slot count: rows 4a to 4c of spec 06 §7.6.
func (j *Judge) slots(w World, v *Valid, epoch wire.EpochID, setWeight uint64) error {
	b, lpe := v.Ballot, j.Params.LayersPerEpoch
	if b.EpochData == nil {
		return j.referenced(w, v, epoch)
	}
	v.Beacon, v.Slots = b.EpochData.Beacon, b.EpochData.EligibilityCount
	if _, current := w.Layers(); epoch != current.Epoch(lpe) {
		return nil
	}
	want, err := Slots(v.ATX.Weight, MinWeight(j.Params.MinWeights, epoch), setWeight, j.Params.LayerSize, lpe)
	switch {
	case errors.Is(err, ErrZeroTotalWeight):
		return broke(RuleActiveSetWeight, Reject, "active set %s has no weight", b.EpochData.ActiveSetHash)
	case err != nil:
		return err
	case v.Slots != want:
		return broke(RuleSlotCount, Reject, "declares %d slots, has %d", v.Slots, want)
	}
	return nil
}

func (j *Judge) referenced(w World, v *Valid, epoch wire.EpochID) error {
	b := v.Ballot
	ref, ok := w.Reference(b.RefBallot)
	switch {
	case !ok:
		return broke(RuleReferenceUnknown, Ignore, "ballot %s", b.RefBallot)
	case ref.Atx != b.AtxID || ref.Smesher != b.SmesherID || ref.Epoch != epoch:
		return broke(RuleReferenceMismatch, Reject, "ballot %s", b.RefBallot)
	}
	v.Beacon, v.Slots = ref.Beacon, ref.Slots
	return nil
}

// proofs are rows 5 to 8 of spec 06 §7.6.
func (j *Judge) proofs(w World, v *Valid, epoch wire.EpochID) error {
	b := v.Ballot
	for i := range b.EligibilityProofs {
		p := &b.EligibilityProofs[i]
		if p.J >= v.Slots {
			return broke(RuleSlotOutOfRange, Reject, "slot %d of %d", p.J, v.Slots)
		}
		if i > 0 && p.J <= b.EligibilityProofs[i-1].J {
			return broke(RuleSlotOrder, Reject, "slot %d after %d", p.J, b.EligibilityProofs[i-1].J)
		}
		if !w.VerifyVRF(b.SmesherID, SlotMessage(v.Beacon, epoch, v.ATX.Nonce, p.J), &p.Sig) {
			return broke(RuleVRF, FetchIgnore, "slot %d", p.J)
		}
		if layer := EligibleLayer(&p.Sig, epoch, j.Params.LayersPerEpoch); layer != b.Layer {
			return broke(RuleWrongLayer, Reject, "slot %d is in layer %d", p.J, layer)
		}
	}
	return nil
}
