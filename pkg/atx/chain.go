package atx

import (
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// ChainReader is what the verification of a chain reads.
type ChainReader interface {
	Reader
	Blob(wire.ATXID) ([]byte, bool, error)
	// Posts are the shares of an ATX, in the order of the ATX.
	Posts(wire.ATXID) ([]Post, error)
}

// Mark is a validity that was found out.
type Mark struct {
	ID       wire.ATXID
	Validity Validity
}

// Chain verifies ATXs down to their roots, all indices of every proof of space
// (spec 04 §11.3). It serves to choose what to build on; validity is a local
// opinion. A Chain may verify several ATXs; what it found stays in Marks, also
// after an error, and is worth storing.
type Chain struct {
	Rules  *Rules
	State  ChainReader
	Proofs Proofs
	// AssumeBefore: ATXs received before this instant are not looked at; in
	// nanoseconds of Unix time.
	AssumeBefore int64
	// Trusted: nor are those of this identity.
	Trusted wire.NodeID

	Marks []Mark
	found map[wire.ATXID]Validity
}

// Verify tells whether an ATX and all it builds on is valid. Chains are as deep
// as epochs have passed, because every step leads to an older epoch.
func (c *Chain) Verify(id wire.ATXID) (bool, error) {
	row, err := need(c.State, id)
	if err != nil {
		return false, err
	}
	validity := row.Validity
	if found, ok := c.found[id]; ok {
		validity = found
	}
	switch {
	case row.Received == 0, validity == ValidityValid:
		return true, nil
	case validity == ValidityInvalid:
		return false, nil
	case row.Received < c.AssumeBefore, row.NodeID == c.Trusted:
		return true, nil
	}
	valid, err := c.verifyFresh(&row)
	if err == nil {
		c.mark(id, valid)
	}
	return valid, err
}

func (c *Chain) mark(id wire.ATXID, valid bool) {
	if c.found == nil {
		c.found = make(map[wire.ATXID]Validity)
	}
	c.found[id] = ValidityInvalid
	if valid {
		c.found[id] = ValidityValid
	}
	c.Marks = append(c.Marks, Mark{id, c.found[id]})
}

func (c *Chain) verifyFresh(row *Row) (bool, error) {
	blob, ok, err := c.State.Blob(row.ID)
	if err != nil {
		return false, failed("read atx blob", err)
	}
	if !ok {
		return true, nil // checkpointed, whatever the row says
	}
	m, err := Decode(blob, c.Rules.Params.Versions)
	if err != nil {
		return false, failed("decode stored atx", err)
	}
	if valid, err := c.verifyPosts(m, row); !valid || err != nil {
		return false, err
	}
	for _, id := range m.ancestors() {
		if id == c.Rules.Params.Golden {
			continue
		}
		if valid, err := c.Verify(id); !valid || err != nil {
			return false, err
		}
	}
	return true, nil
}

// ancestors are the ATXs that an ATX stands on, in the order of verification:
// previous ones, positioning, and commitment only where nothing precedes.
func (m *Message) ancestors() []wire.ATXID {
	var ids []wire.ATXID
	var positioning wire.ATXID
	var commitment *wire.ATXID
	if m.V1 != nil {
		if !wire.IsZero(m.V1.PrevATXID) {
			ids = append(ids, m.V1.PrevATXID)
		}
		positioning, commitment = m.V1.PositioningATXID, m.V1.CommitmentATXID
	} else {
		ids = append(ids, m.V2.PreviousATXs...)
		positioning = m.V2.PositioningATX
		if m.V2.Initial != nil {
			commitment = &m.V2.Initial.CommitmentATX
		}
	}
	initial := len(ids) == 0
	ids = append(ids, positioning)
	if initial && commitment != nil {
		ids = append(ids, *commitment)
	}
	return ids
}

// verifyPosts verifies the proofs of space of one ATX, each with the identity
// that it is of.
func (c *Chain) verifyPosts(m *Message, row *Row) (bool, error) {
	if m.V1 != nil {
		return c.verifyPostV1(m.V1, row)
	}
	posts, err := c.State.Posts(row.ID)
	if err != nil {
		return false, failed("read posts", err)
	}
	next := 0
	for nipost, p := range subPosts(m.V2) {
		if next == len(posts) {
			return false, failed("read posts", ErrMissing)
		}
		valid, err := c.verifyPost(posts[next].NodeID, wire.Hash32(m.V2.NiPosts[nipost].Challenge), &p.Post, p.NumUnits)
		if !valid || err != nil {
			return false, err
		}
		next++
	}
	return true, nil
}

// verifyPostV1 measures a proof by the effective units first, as the network
// does. An ATX that grew was made for its declared units, and may only fit
// those; it gets a second chance (spec 04 §22.13).
func (c *Chain) verifyPostV1(a *wire.ActivationTxV1, row *Row) (bool, error) {
	if a.NIPost == nil || a.NIPost.Post == nil || a.NIPost.PostMetadata == nil {
		return false, nil
	}
	challenge := wire.Hash32(a.NIPost.PostMetadata.PoetRef())
	valid, err := c.verifyPost(a.SmesherID, challenge, a.NIPost.Post, row.EffectiveUnits)
	if valid || err != nil || row.EffectiveUnits == a.NumUnits {
		return valid, err
	}
	return c.verifyPost(a.SmesherID, challenge, a.NIPost.Post, a.NumUnits)
}

func (c *Chain) verifyPost(id wire.NodeID, challenge wire.Hash32, p *wire.PostV1, units uint32) (bool, error) {
	commitment, err := commitmentOf(c.State, id)
	if err != nil {
		return false, err
	}
	found, err := c.Proofs.Post(PostCheck{
		Statement: post.Statement{NodeID: id, CommitmentATX: commitment, Challenge: challenge, NumUnits: units},
		Post:      p, All: true,
	})
	if err != nil {
		return false, failed("check post", err)
	}
	return found.Valid, nil
}
