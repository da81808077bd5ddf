package atx

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// marriageAge is how many epochs after its marriage ATX a set may merge.
const marriageAge = 2

// spouses finds the identities of an ATX's certificates and verifies their
// consent (spec 04 §10.12).
func (r *Rules) spouses(a *wire.ActivationTxV2, s Reader) ([]wire.NodeID, error) {
	if len(a.Marriages) == 0 {
		return nil, nil
	}
	found := make([]wire.NodeID, 0, len(a.Marriages))
	seen := make(map[wire.NodeID]struct{}, len(a.Marriages))
	for i := range a.Marriages {
		certificate := &a.Marriages[i]
		id := a.SmesherID
		if !wire.IsZero(certificate.ReferenceAtx) {
			row, err := need(s, certificate.ReferenceAtx)
			if err != nil {
				return nil, err
			}
			id = row.NodeID
		}
		if !r.Verifier.Verify(signing.Marriage, id, a.SmesherID[:], certificate.Signature) {
			return nil, broken(RuleMarriageSignature, "certificate %d of %v", i, id)
		}
		if _, twice := seen[id]; twice {
			return nil, broken(RuleMarriageTwice, "%v", id)
		}
		seen[id] = struct{}{}
		found = append(found, id)
	}
	return found, nil
}

// EquivocationSet lists the identities that marriage indices of an ATX point
// to: of a merged one all that are married to its signer, in the order in which
// they were inserted into the table (spec 04 §14.3).
func EquivocationSet(s interface {
	Reader
	MarriageReader
}, a *wire.ActivationTxV2) ([]wire.NodeID, error) {
	if a.MarriageATX == nil {
		return []wire.NodeID{a.SmesherID}, nil
	}
	marriage, ok, err := s.Marriage(a.SmesherID)
	switch {
	case err != nil:
		return nil, failed("read marriage", err)
	case !ok:
		return nil, broken(RuleNotMarried, "%v", a.SmesherID)
	case marriage.ATX != *a.MarriageATX:
		return nil, broken(RuleMarriageATX, "%v, not %v", marriage.ATX, *a.MarriageATX)
	}
	row, err := need(s, marriage.ATX)
	if err != nil {
		return nil, err
	}
	if uint64(row.PublishEpoch)+marriageAge > uint64(a.PublishEpoch) {
		return nil, broken(RuleMarriageRecent, "epoch %d, in %d", row.PublishEpoch, a.PublishEpoch)
	}
	set, err := s.MarriageSet(marriage.ID)
	if err != nil {
		return nil, failed("read marriage set", err)
	}
	return set, nil
}

// MarriageChange is what storing a marriage ATX does to the tables.
type MarriageChange struct {
	// ID is that of the set that results.
	ID MarriageID
	// Insert are new rows, in their order, with ID.
	Insert []Marriage
	// Join are sets whose rows are rewritten to ID.
	Join []MarriageID
	// Malicious are to be marked in the second generation's table with ID.
	Malicious []wire.NodeID

	spouses []wire.NodeID
}

// Marry computes the change for an ATX whose certificates are of the given
// identities (spec 04 §14.2). The first marriage of an identity wins.
func Marry(s MarriageReader, m *Message, spouses []wire.NodeID) (*MarriageChange, error) {
	last, err := s.LastMarriageID()
	if err != nil {
		return nil, failed("read last marriage", err)
	}
	change := &MarriageChange{ID: last + 1, spouses: spouses}
	var known []MarriageID
	malicious := false
	for i, id := range spouses {
		old, married, err := s.Marriage(id)
		if err != nil {
			return nil, failed("read marriage", err)
		}
		if married {
			known = append(known, old.ID)
			continue
		}
		change.Insert = append(change.Insert, Marriage{
			ATX: m.ID, NodeID: id, Index: i, Target: m.NodeID(), Signature: m.V2.Marriages[i].Signature,
		})
		if malicious {
			continue
		}
		if malicious, err = s.MaliciousMarried(id); err != nil {
			return nil, failed("read malicious", err)
		}
	}
	if malicious {
		change.Malicious = spouses
	}
	change.join(known)
	return change, nil
}

// join settles the set's ID.
func (c *MarriageChange) join(known []MarriageID) {
	slices.Sort(known)
	known = slices.Compact(known)
	if len(known) > 0 {
		c.ID, c.Join = known[0], known[1:]
	}
	for i := range c.Insert {
		c.Insert[i].ID = c.ID
	}
}
