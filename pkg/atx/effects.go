package atx

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Verdict is what happens to an ATX at gossip and sync (spec 04 §8.2).
type Verdict uint8

// Verdicts. Unknown means that we are not done or failed: nothing is relayed
// and nobody is blamed.
const (
	Unknown Verdict = iota
	Accept
	Ignore
	Reject
)

func (v Verdict) String() string {
	return [...]string{"unknown", "accept", "ignore", "reject"}[min(v, Reject)]
}

// Source says how an ATX came here.
type Source struct {
	// Sync: it was fetched by its hash, Want. Otherwise it was gossiped.
	Sync bool
	Want wire.Hash32
	// Self: this node published it.
	Self bool
}

// Outcome is the judgement of an ATX.
type Outcome struct {
	Verdict Verdict
	// Err says why it was not accepted, or stored without being relayed.
	Err error
	// Missing has to be fetched before Process is called again. The verdict
	// is Unknown then.
	Missing Dependencies
	// Effects are to be committed in one transaction before the verdict is
	// passed on. Nil if nothing changes.
	Effects *Effects
}

// Effects are honoured in the order of the fields, all of them together or
// none. Storing a row that exists already is no error.
type Effects struct {
	// Row is nil if the ATX is not stored.
	Row *Row
	// Blob and Version belong to Row.
	Blob    []byte
	Version uint8
	Posts   []Post
	// Marriage is nil but for marriage ATXs.
	Marriage *MarriageChange
	// Proof makes its identity malicious, first generation.
	Proof *Proof
	// CacheMalicious: the signer counts as malicious in the cache of active
	// ATXs, but in no table (spec 04 §16).
	CacheMalicious bool
}

// Proof is evidence that was found here.
type Proof struct {
	NodeID wire.NodeID
	// Encoded is what is stored and synced.
	Encoded []byte
	// Gossip is what is published, or nil if nothing is.
	Gossip []byte
}

func newProof(p *wire.MalfeasanceProof, gossip bool) *Proof {
	proof := &Proof{NodeID: p.Data.MaliciousID(), Encoded: codec.MustEncode(p)}
	if gossip {
		proof.Gossip = codec.MustEncode(&wire.MalfeasanceGossip{MalfeasanceProof: *p})
	}
	return proof
}
