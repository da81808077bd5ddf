package atx

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// stage is how far a message has come; see the package comment.
type stage uint8

const (
	arrived stage = iota
	signed
	forged // its signature does not verify
	wellFormed
)

// Message is an ATX on its way through the rules. Exactly one of V1 and V2 is
// set. It belongs to one goroutine at a time.
type Message struct {
	ID   wire.ATXID
	Blob []byte // as it arrived
	V1   *wire.ActivationTxV1
	V2   *wire.ActivationTxV2

	stage stage
}

// Decode reads an ATX of the version in force for its publish epoch and
// computes its ID (spec 04 §8.1). The message keeps blob. The error is
// RuleMalformed.
func Decode(blob []byte, versions Versions) (*Message, error) {
	publish, err := wire.PublishEpochOf(blob)
	if err != nil {
		return nil, broken(RuleMalformed, "%v", err)
	}
	if versions.At(publish) == Version1 {
		m := &Message{Blob: blob, V1: new(wire.ActivationTxV1)}
		if err := codec.Decode(blob, m.V1); err != nil {
			return nil, broken(RuleMalformed, "%v", err)
		}
		m.ID = m.V1.ID()
		return m, nil
	}
	m := &Message{Blob: blob, V2: new(wire.ActivationTxV2)}
	if err := codec.Decode(blob, m.V2); err != nil {
		return nil, broken(RuleMalformed, "%v", err)
	}
	m.ID = m.V2.ID()
	return m, nil
}

// Version of the encoding.
func (m *Message) Version() uint8 {
	if m.V1 != nil {
		return Version1
	}
	return Version2
}

// PublishEpoch is the epoch in which the ATX is published.
func (m *Message) PublishEpoch() wire.EpochID {
	if m.V1 != nil {
		return m.V1.PublishEpoch
	}
	return m.V2.PublishEpoch
}

// NodeID is the identity that signed.
func (m *Message) NodeID() wire.NodeID {
	if m.V1 != nil {
		return m.V1.SmesherID
	}
	return m.V2.SmesherID
}

// Coinbase is the account that rewards go to.
func (m *Message) Coinbase() wire.Address {
	if m.V1 != nil {
		return m.V1.Coinbase
	}
	return m.V2.Coinbase
}

// signature returns the body under the ATX domain and the signature over it.
func (m *Message) signature() ([]byte, wire.EdSignature) {
	if m.V1 != nil {
		return appendSignedV1(make([]byte, 0, 40), m.V1.PublishEpoch, m.ID), m.V1.Signature
	}
	return m.ID[:], m.V2.Signature
}

func appendSignedV1(dst []byte, publish wire.EpochID, id wire.ATXID) []byte {
	return append(codec.AppendCompact(dst, uint64(publish)), id[:]...)
}

// AddTo puts the signature into a batch. Tell the message the batch's verdict
// with SetSignature.
func (m *Message) AddTo(batch *signing.Batch) {
	body, sig := m.signature()
	batch.Add(signing.ATX, m.NodeID(), body, sig)
}

// SetSignature records whether the signature verifies.
func (m *Message) SetSignature(valid bool) {
	switch {
	case m.stage != arrived:
	case valid:
		m.stage = signed
	default:
		m.stage = forged
	}
}

// checkSignature verifies the signature unless that happened before.
func (m *Message) checkSignature(v signing.Verifier) error {
	if m.stage == arrived {
		body, sig := m.signature()
		m.SetSignature(v.Verify(signing.ATX, m.NodeID(), body, sig))
	}
	if m.stage == forged {
		return broken(RuleSignature, "of %v", m.NodeID())
	}
	return nil
}

// Dependencies are what an ATX refers to, without repetitions, zeros and the
// golden ATX (spec 04 §8.3).
type Dependencies struct {
	ATXs  []wire.ATXID
	Poets []wire.PoetProofRef
}

// Empty tells whether nothing is needed.
func (d Dependencies) Empty() bool { return len(d.ATXs) == 0 && len(d.Poets) == 0 }

// Dependencies of the message, in the order in which they are named.
func (m *Message) Dependencies(golden wire.ATXID) Dependencies {
	c := &collector{golden: golden}
	if m.V1 != nil {
		c.v1(m.V1)
	} else {
		c.v2(m.V2)
	}
	return c.deps
}

// collector gathers names once. There are at most some hundreds, so that a set
// pays only for ATXs of version 2.
type collector struct {
	golden wire.ATXID
	deps   Dependencies
	seen   map[wire.ATXID]struct{}
}

func (c *collector) v1(a *wire.ActivationTxV1) {
	c.atx(a.PrevATXID)
	c.atx(a.PositioningATXID)
	if a.CommitmentATXID != nil {
		c.atx(*a.CommitmentATXID)
	}
	if a.NIPost != nil && a.NIPost.PostMetadata != nil {
		c.deps.Poets = append(c.deps.Poets, a.NIPost.PostMetadata.PoetRef())
	}
}

func (c *collector) v2(a *wire.ActivationTxV2) {
	c.seen = make(map[wire.ATXID]struct{}, 2+len(a.PreviousATXs)+len(a.Marriages))
	c.atx(a.PositioningATX)
	for _, id := range a.PreviousATXs {
		c.atx(id)
	}
	if a.Initial != nil {
		c.atx(a.Initial.CommitmentATX)
	}
	if a.MarriageATX != nil {
		c.atx(*a.MarriageATX)
	}
	for i := range a.Marriages {
		c.atx(a.Marriages[i].ReferenceAtx)
	}
	for i := range a.NiPosts {
		ref := a.NiPosts[i].Challenge
		if !contains(c.deps.Poets, ref) {
			c.deps.Poets = append(c.deps.Poets, ref)
		}
	}
}

func (c *collector) atx(id wire.ATXID) {
	if wire.IsZero(id) || id == c.golden {
		return
	}
	if c.seen == nil {
		if !contains(c.deps.ATXs, id) {
			c.deps.ATXs = append(c.deps.ATXs, id)
		}
		return
	}
	if _, ok := c.seen[id]; !ok {
		c.seen[id] = struct{}{}
		c.deps.ATXs = append(c.deps.ATXs, id)
	}
}

func contains[T comparable](list []T, want T) bool {
	for _, have := range list {
		if have == want {
			return true
		}
	}
	return false
}
