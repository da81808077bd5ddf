package hare

import (
	"context"
	"errors"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
)

var errNoExchange = errors.New("peers cannot be asked for full lists")

// spawn runs slow work outside of the driver's goroutine.
func (d *Driver) spawn(f func(context.Context)) { d.tasks.Go(func() { f(d.ctx) }) }

// do carries out what a core wants done. Publish comes with signed messages alone.
func (d *Driver) do(v *version, effects []protocol.Effect) {
	for _, effect := range effects {
		switch e := effect.(type) {
		case protocol.Prove:
			d.prove(v, e)
		case protocol.Sign:
			d.sign(v, e)
		case protocol.Fetch:
			d.fetch(v, e)
		case protocol.WeakCoin:
			d.coin(e)
		case protocol.Result:
			d.deps.Log.Info("hare output", "layer", e.Layer, "proposals", len(e.Proposals))
			d.deps.Results.Put(e.Layer, e.Proposals)
			if a := v.ahead[e.Layer]; a != nil {
				a.decided = true
			}
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
			v.forget(e.Layer)
			d.prepareNext(e.Layer)
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
	return s.vouched.vouches(id, body, sig) || s.deps.Node.VerifyHare(id, body, sig)
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
