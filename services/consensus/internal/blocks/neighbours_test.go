package blocks_test

import (
	"context"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// state answers for the service of that name.
func (w *world) state() {
	w.t.Helper()
	conn, q := w.connect(bus.StateService), bus.Queue{Length: 64, Full: actor.Refuse}
	serve(w, conn, q, bus.Execute(), func(ctx context.Context, r bus.ExecuteRequest) (bus.ExecuteReply, error) {
		w.executed = append(w.executed, r)
		_, err := w.rows.Exec(ctx, "INSERT INTO state.layers VALUES ($1, $2, NULL)", int64(r.Layer), r.Block[:])
		return bus.ExecuteReply{}, err
	})
	serve(w, conn, q, bus.Revert(), func(ctx context.Context, r bus.RevertRequest) (bus.RevertReply, error) {
		w.reverted = append(w.reverted, r.To)
		_, err := w.rows.Exec(ctx, "DELETE FROM state.layers WHERE layer > $1", int64(r.To))
		return bus.RevertReply{}, err
	})
	serve(w, conn, q, bus.SyncIn(bus.KindBlock), func(ctx context.Context, o bus.FetchedObject) (bus.Judgement, error) {
		var b wire.Block
		if err := codec.Decode(o.Body, &b); err != nil {
			return bus.Judgement{}, err
		}
		return bus.Judgement{Verdict: bus.Accept}, w.storeBlock(ctx, &b)
	})
	// The first transaction of a block is ineffective.
	serve(w, conn, q, bus.ExecuteOptimistic(), func(ctx context.Context, r bus.OptimisticRequest) (bus.OptimisticReply, error) {
		if w.refuse {
			return bus.OptimisticReply{}, bus.Errorf(bus.Conflict, "not next")
		}
		w.optimistic = append(w.optimistic, r.Block)
		b := &wire.Block{InnerBlock: r.Block}
		b.TxIDs = b.TxIDs[min(1, len(b.TxIDs)):]
		id := b.ID()
		if w.last == b.LayerIndex { // a repeat
			return bus.OptimisticReply{ID: id, Body: codec.MustEncode(b)}, nil
		}
		w.last = b.LayerIndex
		if err := w.storeBlock(ctx, b); err != nil {
			return bus.OptimisticReply{}, err
		}
		_, err := w.rows.Exec(ctx, "INSERT INTO state.layers VALUES ($1, $2, NULL)", int64(b.LayerIndex), id[:])
		return bus.OptimisticReply{ID: id, Body: codec.MustEncode(b)}, err
	})
}

func (w *world) storeBlock(ctx context.Context, b *wire.Block) error {
	id := b.ID()
	_, err := w.rows.Exec(ctx, "INSERT INTO state.blocks (id, layer, height, blob) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		id[:], int64(b.LayerIndex), int64(b.TickHeight), codec.MustEncode(b))
	return err
}

// activation signs as the identities, one certification for a layer.
func (w *world) activation() {
	w.t.Helper()
	conn, q := w.connect(bus.ActivationService), bus.Queue{Length: 64, Full: actor.Refuse}
	serve(w, conn, q, bus.ProveVRF(holder), func(_ context.Context, r bus.VRFRequest) (reply bus.VRFReply, _ error) {
		for _, item := range r.Items {
			reply.Results = append(reply.Results, bus.VRFResult{Outcome: bus.Signed, Proof: vrf.Prove(w.smesher(item.NodeID).seed, item.Message)})
		}
		return reply, nil
	})
	serve(w, conn, q, bus.Sign(holder), func(_ context.Context, r bus.SignRequest) (reply bus.SignReply, _ error) {
		for _, item := range r.Items {
			var c wire.CertifyContent
			if err := codec.Decode(item.Body, &c); err != nil {
				return reply, err
			}
			slot := item.NodeID.String() + string(codec.MustEncode(&bus.Tick{Layer: c.LayerID}))
			if held, taken := w.signed[slot]; taken && string(held) != string(item.Body) {
				reply.Results = append(reply.Results, bus.SignResult{Outcome: bus.SignRefused, Reason: "conflict"})
				continue
			}
			w.signed[slot] = item.Body
			reply.Results = append(reply.Results, bus.SignResult{
				Outcome: bus.Signed, Signature: w.sign(w.smesher(item.NodeID), signing.Domain(item.Domain), item.Body),
			})
		}
		return reply, nil
	})
}

// fetcher is gossip, asked for proposals.
func (w *world) fetcher() {
	w.t.Helper()
	q := bus.Queue{Length: 64, Full: actor.Refuse}
	serve(w, w.gossip, q, bus.Fetch(bus.KindProposal), func(_ context.Context, r bus.FetchRequest) (bus.FetchReply, error) {
		for _, a := range w.peers {
			if slices.Contains(r.Hashes, wire.Pad32(a.Proposal.ID())) {
				if err := w.proposals.Add(a); err != nil {
					return bus.FetchReply{}, err
				}
			}
		}
		return bus.FetchReply{Outcomes: make([]bus.FetchOutcome, len(r.Hashes))}, nil
	})
}

func (w *world) smesher(id wire.NodeID) *smesher {
	for _, s := range w.smeshers {
		if s.id == id {
			return s
		}
	}
	return nil
}

func serve[Req, Rep any](w *world, c *bus.Conn, q bus.Queue, e bus.Endpoint[Req, Rep], h bus.Handler[Req, Rep]) {
	w.t.Helper()
	_, err := bus.Serve(context.Background(), c, e, q, func(ctx context.Context, r Req) (Rep, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return h(ctx, r)
	})
	require.NoError(w.t, err)
}
