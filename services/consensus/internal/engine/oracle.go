package engine

import (
	"sync"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Oracle is the one eligibility oracle of the process, for hare and for
// certificates. It is safe for concurrent use. Nobody asks it with the engine's
// lock held: it reads what that guards.
type Oracle struct {
	mu     sync.Mutex
	oracle *eligibility.Oracle
}

// Oracle is the engine's.
func (e *Engine) Oracle() *Oracle { return e.oracle }

func (e *Engine) newOracle() *Oracle {
	known := newProofMemo(e.verifyVRF)
	return &Oracle{oracle: eligibility.NewOracle(eligibility.Params{
		LayersPerEpoch: e.params.LayersPerEpoch, Confidence: e.params.EligibilityConfidence, EffectiveGenesis: e.genesis,
	}, history{e}, known.verify)}
}

// Count is how many seats a proof wins (spec 05 §2.5).
func (o *Oracle) Count(s eligibility.Seat) (uint16, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.oracle.Count(s)
}

// Validate tells whether a claim holds.
func (o *Oracle) Validate(s eligibility.Seat, claimed uint16) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.oracle.Validate(s, claimed)
}

// SetSynced tells the sync state (spec 05 §2.3).
func (o *Oracle) SetSynced(synced bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.oracle.SetSynced(synced)
}

// ActiveSet is the epoch's active set.
func (o *Oracle) ActiveSet(epoch wire.EpochID) (*eligibility.ActiveSet, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.oracle.ActiveSet(epoch)
}

// proofMemo remembers proofs that were verified: the own ones are asked about
// twice, when their seats are counted and when the signed message comes back.
type proofMemo struct {
	verifier eligibility.Prover
	// young and old are two generations; old is dropped when young is full.
	young, old map[wire.Hash32]struct{}
}

// maxMemo bounds a generation of remembered proofs.
const maxMemo = 1 << 13

func newProofMemo(verifier eligibility.Prover) *proofMemo {
	return &proofMemo{verifier: verifier, young: make(map[wire.Hash32]struct{})}
}

func (m *proofMemo) verify(node wire.NodeID, message []byte, proof wire.VrfSignature) bool {
	key := wire.Sum(node[:], proof[:], message)
	if _, ok := m.young[key]; ok {
		return true
	}
	if _, ok := m.old[key]; ok {
		return true
	}
	if !m.verifier(node, message, proof) {
		return false
	}
	if len(m.young) == maxMemo {
		m.old, m.young = m.young, make(map[wire.Hash32]struct{}, maxMemo)
	}
	m.young[key] = struct{}{}
	return true
}
