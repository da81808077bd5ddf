package engine

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// Tell takes news of a layer: hare's output or a certificate, and the weak coin.
// There is no news of a layer that has not begun.
func (e *Engine) Tell(ctx context.Context, n bus.LayerNews) (bus.Judgement, error) {
	if err := e.begun(n.Layer); err != nil {
		return bus.Judgement{}, err
	}
	e.processing.Lock()
	defer e.processing.Unlock()
	if err := e.Follow(ctx); err != nil {
		return bus.Judgement{}, err
	}
	if n.Coin != nil {
		if err := e.write(ctx, func(tx pgx.Tx) error { return db.SetCoin(ctx, tx, n.Layer, *n.Coin) }); err != nil {
			return bus.Judgement{}, err
		}
		e.mu.Lock()
		e.tortoise.OnWeakCoin(n.Layer, *n.Coin)
		e.mu.Unlock()
	}
	switch {
	case n.Certificate != nil:
		return e.certified(ctx, n.Layer, n.Certificate)
	case n.Output != nil:
		return bus.Judgement{Verdict: bus.Accept}, e.output(ctx, n.Layer, *n.Output)
	}
	return bus.Judgement{Verdict: bus.Accept}, nil
}

// output takes hare's word on a layer (spec 06 §12.4), and tells users.
func (e *Engine) output(ctx context.Context, layer wire.LayerID, id wire.BlockID, told ...events.Body) error {
	e.certifying.Lock()
	defer e.certifying.Unlock()
	rows, err := db.Certificates(ctx, e.deps.DB, layer)
	if err != nil {
		return err
	}
	insert, tell := block.OwnOutput(rows, id)
	if insert != nil || len(told) > 0 {
		err := e.write(ctx, func(tx pgx.Tx) error {
			if insert != nil {
				if err := db.InsertOutput(ctx, tx, layer, insert); err != nil {
					return err
				}
			}
			return e.tell(ctx, tx, told...)
		})
		if err != nil {
			return err
		}
	}
	if tell {
		e.tellOutput(layer, id)
	}
	return nil
}

// tellOutput tells the tortoise once.
func (e *Engine) tellOutput(layer wire.LayerID, id wire.BlockID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.outputs[layer] {
		return
	}
	e.outputs[layer] = true
	e.tortoise.OnHareOutput(layer, id)
	for old := range e.outputs {
		if uint64(old)+uint64(e.params.Tortoise.WindowSize) < uint64(layer) {
			delete(e.outputs, old)
		}
	}
}

// certified judges, stores and adopts a certificate (spec 06 §11.4, §11.5, §11.7).
func (e *Engine) certified(ctx context.Context, layer wire.LayerID, blob []byte) (bus.Judgement, error) {
	certificate := new(wire.Certificate)
	if err := codec.Decode(blob, certificate); err != nil {
		return bus.Judgement{Verdict: bus.Reject, Reason: "malformed", Detail: err.Error()}, nil
	}
	e.certifying.Lock()
	defer e.certifying.Unlock()
	save, err := e.certifier.OnCertificate(layer, certificate, e.outputRows(ctx))
	var rule *block.RuleError
	if err != nil && !errors.As(err, &rule) {
		return bus.Judgement{}, err
	}
	if save == nil {
		return bus.Judgement{Verdict: bus.Reject, Reason: string(rule.Rule), Detail: rule.Detail}, nil
	}
	if err := e.saveCertificate(ctx, save); err != nil {
		return bus.Judgement{}, err
	}
	if !save.Multiple() {
		e.tellOutput(layer, certificate.BlockID)
	}
	return bus.Judgement{Verdict: bus.Accept}, nil
}

// outputRows reads a layer's rows for the certifier.
func (e *Engine) outputRows(ctx context.Context) block.Rows {
	return func(l wire.LayerID) ([]block.Row, error) { return db.Certificates(ctx, e.deps.DB, l) }
}

// saveCertificate stores what the certifier decided; a layer with several
// certificates is empty.
func (e *Engine) saveCertificate(ctx context.Context, save *block.Save) error {
	err := e.write(ctx, func(tx pgx.Tx) error { return db.SaveCertificate(ctx, tx, save) })
	if err != nil {
		return err
	}
	if save.Multiple() {
		e.tellOutput(save.Layer, wire.BlockID{})
	}
	return nil
}

// certifyJudge checks certify messages (block.Judge).
type certifyJudge struct{ engine *Engine }

// BeaconKnown is block.Judge.
func (j certifyJudge) BeaconKnown(layer wire.LayerID) bool {
	_, ok := j.engine.beacons.Beacon(j.engine.params.Epoch(layer))
	return ok
}

// Signed is block.Judge.
func (j certifyJudge) Signed(m *wire.CertifyMessage) bool {
	return j.engine.judge.Params.Verifier.Verify(signing.Hare, m.SmesherID, m.SignedBytes(), m.Signature)
}

// Eligible is block.Judge.
func (j certifyJudge) Eligible(m *wire.CertifyMessage) bool {
	ok, err := j.engine.oracle.Validate(eligibility.Seat{
		Layer: m.LayerID, Round: block.Round, Committee: j.engine.certifyCommittee(), Node: m.SmesherID, Proof: m.Proof,
	}, m.EligibilityCnt)
	if err != nil {
		j.engine.deps.Log.Debug("a certify message cannot be judged", "layer", m.LayerID, "err", err)
	}
	return ok && err == nil
}

// verifyVRF is the oracle's prover.
func (e *Engine) verifyVRF(node wire.NodeID, message []byte, proof wire.VrfSignature) bool {
	defer e.deps.Costs.VRF.Start()()
	return vrf.Verify(node, message, proof)
}
