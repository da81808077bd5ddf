package hare

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/eligibility"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
)

var errNoExchange = errors.New("peers cannot be asked for full lists")

// spawn runs slow work outside of the driver's goroutine.
func (d *Driver) spawn(f func(context.Context)) { d.tasks.Go(func() { f(d.ctx) }) }

// do carries out what a core wants done. Messages of one step go out together.
func (d *Driver) do(v *version, effects []protocol.Effect) {
	var outgoing []bus.Stored
	for _, effect := range effects {
		switch e := effect.(type) {
		case protocol.Prove:
			d.prove(v, e)
		case protocol.Sign:
			d.sign(v, e)
		case protocol.Publish:
			outgoing = append(outgoing, d.stored(v.topic, e.Message)...)
		case protocol.Fetch:
			d.fetch(v, e)
		case protocol.WeakCoin:
			d.coin(e)
		case protocol.Result:
			d.deps.Log.Info("hare output", "layer", e.Layer, "proposals", len(e.Proposals))
			d.deps.Results.Put(e.Layer, e.Proposals)
		case protocol.Equivocation:
			d.deps.Log.Warn("an identity said two things in a round of hare", "identity", e.Node)
			d.spawn(func(ctx context.Context) { d.deps.Node.Accuse(ctx, e.Proof) })
		case protocol.TakeCharge:
			d.deps.Charges.Take(e.Layer)
		case protocol.ReleaseCharge:
			d.deps.Charges.Release(e.Layer)
		case protocol.Ended:
			d.deps.Metrics.ended(e.Err)
			if e.Err != nil {
				d.deps.Log.Warn("hare failed", "layer", e.Layer, "err", e.Err)
			}
		}
	}
	if len(outgoing) == 0 {
		return
	}
	select {
	case d.outbox <- outgoing:
	default:
		d.deps.Log.Warn("hare's messages are lost: gossip does not take them", "messages", len(outgoing))
	}
}

// prove asks for all identities' proofs at once.
func (d *Driver) prove(v *version, e protocol.Prove) {
	items := make([]bus.VRFItem, len(e.Identities))
	for i, id := range e.Identities {
		items[i] = bus.VRFItem{NodeID: id, Message: e.Message}
	}
	d.spawn(func(ctx context.Context) {
		results := d.deps.Keys.Prove(ctx, items)
		proofs := make([]protocol.Proof, 0, len(results))
		for i := range results {
			if results[i].Outcome == bus.Signed {
				proofs = append(proofs, protocol.Proof{Node: items[i].NodeID, Proof: results[i].Proof})
			}
		}
		if len(proofs) > 0 && e.At == (wire.IterRound{}) {
			d.awaitActiveSet(ctx, v, e.Layer, &proofs[0])
		}
		_ = d.post(ctx, func() { d.do(v, v.core.Proofs(e.Layer, e.At, proofs)) })
	})
}

// awaitActiveSet holds proofs back until the preround if nobody can tell their
// seats yet: the first ballots of the network's first epoch, which name the active
// set, come while its first layer is already running.
func (d *Driver) awaitActiveSet(ctx context.Context, v *version, layer wire.LayerID, p *protocol.Proof) {
	params := v.core.Params()
	_, err := d.deps.Oracle.Count(eligibility.Seat{
		Layer: layer, Committee: int(params.CommitteeFor(layer)), Node: p.Node, Proof: p.Proof,
	})
	var missing *eligibility.MissingATXError
	if !errors.Is(err, eligibility.ErrEmptyActiveSet) && !errors.As(err, &missing) {
		return
	}
	d.deps.Log.Debug("the active set is not known at the start of the layer", "layer", layer, "err", err)
	due := d.layers.Start(layer).Add(params.RoundStart(wire.IterRound{}))
	_ = clock.Clock{Now: d.deps.Now, Timer: d.deps.Timer}.Until(ctx, due, nil)
}

// sign asks for all signatures of a round at once. What is not signed is not said.
func (d *Driver) sign(v *version, e protocol.Sign) {
	d.spawn(func(ctx context.Context) {
		items := make([]bus.SignItem, len(e.Messages))
		for i, m := range e.Messages {
			items[i] = bus.SignItem{NodeID: m.Sender, Domain: uint8(signing.Hare), Body: m.SignedBytes()}
		}
		signed := make([]*wire.HareMessage, 0, len(items))
		for i, r := range d.deps.Keys.Sign(ctx, items) {
			if r.Outcome != bus.Signed {
				d.deps.Log.Warn("a hare message was not signed", "identity", items[i].NodeID, "layer", e.Layer, "round", e.At, "reason", r.Reason)
				continue
			}
			e.Messages[i].Signature = r.Signature
			signed = append(signed, e.Messages[i])
		}
		d.deps.Metrics.refused(len(items) - len(signed))
		_ = d.post(ctx, func() { d.signed(v, e, signed) })
	})
}

// signed judges the own messages and publishes those that hare accepts.
func (d *Driver) signed(v *version, of protocol.Sign, messages []*wire.HareMessage) {
	effects := make([]protocol.Effect, 0, len(messages))
	late := 0
	for _, m := range messages {
		step := v.core.Signed(m)
		if step.Verdict != protocol.Accept {
			late++
			d.deps.Log.Warn("an own hare message is not published", "identity", m.Sender, "layer", m.Body.Layer, "err", step.Err)
		}
		effects = append(effects, step.Effects...)
	}
	d.do(v, effects)
	due := d.layers.Start(of.Layer).Add(v.core.Params().RoundStart(of.At))
	after := d.deps.Now().Sub(due)
	d.deps.Metrics.said(len(messages), after)
	d.deps.Log.Debug("own hare messages", "layer", of.Layer, "round", of.At, "messages", len(messages), "late", late, "after", after)
}

// stored is a message for gossip, named by its content.
func (d *Driver) stored(topic bus.GossipTopic, message []byte) []bus.Stored {
	out, err := bus.GossipOut(topic).Outgoing(message)
	if err != nil {
		d.deps.Log.Error("a hare message does not encode", "err", err)
		return nil
	}
	sum := wire.Sum([]byte(topic), message)
	return []bus.Stored{{ID: string(topic) + "." + hex.EncodeToString(sum[:]), Outgoing: out}}
}

// publish gives batches to gossip, in order.
func (d *Driver) publish() {
	for {
		select {
		case <-d.ctx.Done():
			return
		case batch := <-d.outbox:
			if err := errors.Join(d.deps.Publisher.Store(d.ctx, batch)...); err != nil {
				d.deps.Log.Warn("hare's messages are lost", "messages", len(batch), "err", err)
			}
		}
	}
}

func (d *Driver) coin(e protocol.WeakCoin) {
	select {
	case d.coins <- e:
	default:
		d.deps.Log.Warn("a weak coin is lost: the database does not take it", "layer", e.Layer)
	}
}

// keepCoins stores coins, in order.
func (d *Driver) keepCoins() {
	for {
		select {
		case <-d.ctx.Done():
			return
		case e := <-d.coins:
			d.keepCoin(e)
		}
	}
}

func (d *Driver) keepCoin(e protocol.WeakCoin) {
	for range coinTries {
		_, err := d.deps.Node.Tell(d.ctx, bus.LayerNews{Layer: e.Layer, Coin: &e.Coin})
		if err == nil {
			return
		}
		d.deps.Log.Warn("a weak coin is not stored", "layer", e.Layer, "err", err)
		select {
		case <-d.ctx.Done():
			return
		case <-time.After(coinPause):
		}
	}
}

// surroundings answer the cores (protocol.Surroundings).
type surroundings struct{ *Driver }

// VerifyHare is protocol.Surroundings.
func (s surroundings) VerifyHare(id wire.NodeID, body []byte, sig wire.EdSignature) bool {
	return s.deps.Node.VerifyHare(id, body, sig)
}

// IsMalicious is protocol.Surroundings.
func (s surroundings) IsMalicious(id wire.NodeID) bool { return s.deps.Node.IsMalicious(id) }

// LocalProposals is protocol.Surroundings.
func (s surroundings) LocalProposals(layer wire.LayerID) []protocol.LocalProposal {
	return s.deps.Proposals.local(layer)
}

// Selection is protocol.Surroundings (spec 05 §7).
func (s surroundings) Selection(layer wire.LayerID, identities []wire.NodeID) protocol.Selection {
	epoch := s.epoch(layer)
	out := protocol.Selection{OwnHeights: s.deps.Node.Heights(epoch, identities)}
	for _, p := range s.deps.Proposals.layer(layer) {
		entry, indexed := s.deps.Node.ATX(epoch, p.ATX)
		out.Candidates = append(out.Candidates, protocol.Candidate{
			ID: p.ID, ATX: p.ATX, Malicious: p.Flagged || s.deps.Node.IsMalicious(p.Smesher),
			Beacon: p.Beacon, Indexed: indexed, BaseHeight: entry.BaseHeight,
		})
	}
	return out
}
