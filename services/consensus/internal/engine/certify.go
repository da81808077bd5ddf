package engine

import (
	"context"
	"errors"

	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// Certify judges a certify message from gossip, or an own one (spec 06 §11.3). A
// repeat counts again: gossip knows repeats.
func (e *Engine) Certify(ctx context.Context, raw []byte) (bus.Judgement, error) {
	e.certifying.Lock()
	defer e.certifying.Unlock()
	verdict, save, err := e.certifier.OnMessage(raw, e.current(), e.outputRows(ctx))
	var rule *block.RuleError
	if err != nil && !errors.As(err, &rule) {
		return bus.Judgement{}, err
	}
	if save != nil {
		if err := e.saveCertificate(ctx, save); err != nil {
			return bus.Judgement{}, err
		}
	}
	j := bus.Judgement{Verdict: bus.Ignore, Reason: "not_of_use"}
	switch verdict {
	case block.Accept:
		j = bus.Judgement{Verdict: bus.Accept}
	case block.Reject:
		j.Verdict = bus.Reject
	}
	if rule != nil {
		j.Reason, j.Detail = string(rule.Rule), rule.Detail
	}
	return j, nil
}

// register tells the certifier of the node's own output; what was collected may
// complete a certificate.
func (e *Engine) register(ctx context.Context, layer wire.LayerID, id wire.BlockID) error {
	e.certifying.Lock()
	defer e.certifying.Unlock()
	save, err := e.certifier.Register(layer, id, e.outputRows(ctx))
	if save == nil {
		return err
	}
	return errors.Join(err, e.saveCertificate(ctx, save))
}

// Uncertified is an output of hare that has no certificate yet.
type Uncertified struct {
	Layer wire.LayerID
	Block wire.BlockID
}

// Uncertified are this node's outputs of the last layers that have no certificate:
// those that certify messages are still taken for. They are registered again, for
// what was collected before a restart is gone.
func (e *Engine) Uncertified(ctx context.Context) (out []Uncertified, err error) {
	current := e.current()
	for layer := max(e.genesis+1, current-min(current, wire.LayerID(e.params.Tortoise.Zdist))); layer <= current; layer++ {
		rows, err := db.Certificates(ctx, e.deps.DB, layer)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if !r.Valid || r.Certificate != nil {
				continue
			}
			if err := e.register(ctx, layer, r.Block); err != nil {
				return nil, err
			}
			out = append(out, Uncertified{layer, r.Block})
		}
	}
	return out, nil
}

// OnLayer forgets certify messages of old layers.
func (e *Engine) OnLayer(layer wire.LayerID) {
	e.certifying.Lock()
	defer e.certifying.Unlock()
	e.certifier.OnLayer(layer)
}

// CertifierSeat is an identity's place among a layer's certifiers (spec 06 §11.1).
func (e *Engine) CertifierSeat(layer wire.LayerID, node wire.NodeID, proof wire.VrfSignature) eligibility.Seat {
	return eligibility.Seat{
		Layer: layer, Round: block.Round, Committee: e.certifyCommittee(), Node: node, Proof: proof,
	}
}
