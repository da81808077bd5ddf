package engine

import (
	"context"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// BeaconOf is an epoch's beacon as it is known here.
func (e *Engine) BeaconOf(epoch wire.EpochID) (wire.Beacon, bool) {
	b, err := history{e}.Beacon(epoch)
	return b, err == nil
}

// VerifyHare tells whether a signature is the identity's in hare's domain.
func (e *Engine) VerifyHare(id wire.NodeID, body []byte, sig wire.EdSignature) bool {
	return e.judge.Params.Verifier.Verify(signing.Hare, id, body, sig)
}

// IsMalicious tells whether an identity is known to be malicious.
func (e *Engine) IsMalicious(id wire.NodeID) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.index.Malicious(id)
}

// ATX is an activation of the index for a target epoch.
func (e *Engine) ATX(target wire.EpochID, id wire.ATXID) (atxcache.Entry, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.index.Get(target, id)
}

// Heights are the heights of the identities' activations for a target epoch, as
// far as they are indexed.
func (e *Engine) Heights(target wire.EpochID, identities []wire.NodeID) (out []uint64) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, id := range identities {
		for entry := range e.index.OfNode(target, id) {
			out = append(out, entry.Height)
			break
		}
	}
	return out
}

// Accuse marks an identity and hands the proof to activation.
func (e *Engine) Accuse(ctx context.Context, proof *wire.MalfeasanceProof) {
	node := proof.Data.MaliciousID()
	e.mu.Lock()
	e.index.SetMalicious(node)
	e.tortoise.OnMalfeasance(node)
	e.mu.Unlock()
	e.accuse(ctx, proof)
}

// AggregatedHash is this node's opinion on a layer and all below it, with which
// the state followed it; zero where the state has not.
func (e *Engine) AggregatedHash(ctx context.Context, layer wire.LayerID) (wire.Hash32, error) {
	if layer == e.genesis {
		return wire.HashATXList(nil), nil
	}
	return db.AggregatedHash(ctx, e.deps.DB, layer)
}
