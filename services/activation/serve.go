package activation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/malfeasance"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
)

// Bounds in bytes of what waits.
const (
	gossipBytes = 64 << 20
	syncBytes   = 256 << 20
)

// serve subscribes to everything that the service owns.
func (w *working) serve(ctx context.Context) error {
	gossip := bus.Queue{Length: w.cfg.GossipQueue, Full: actor.DropOldest, Bytes: gossipBytes, Batch: w.cfg.Batch}
	sync := bus.Queue{Length: w.cfg.SyncQueue, Full: actor.Refuse, Bytes: syncBytes, Batch: w.cfg.Batch}
	proofs := bus.Queue{Length: 1024, Full: actor.Refuse, Bytes: gossipBytes, Batch: 64}
	proving := bus.Queue{Length: 4096, Full: actor.Refuse, Bytes: gossipBytes, Batch: 64, Workers: 2}
	// A round of hare must not wait for the transaction of proposals or certificates.
	signing := bus.Queue{Length: 4096, Full: actor.Refuse, Bytes: gossipBytes, Batch: 64, Workers: 4}
	_, e1 := bus.ServeBatch(ctx, w.deps.Bus, bus.GossipIn(bus.TopicATX), gossip, judgeATXs(w, w.gossiped))
	_, e2 := bus.ServeBatch(ctx, w.deps.Bus, bus.SyncIn(bus.KindATX), sync, judgeATXs(w, w.fetched))
	_, e3 := bus.ServeBatch(ctx, w.deps.Bus, bus.SyncIn(bus.KindPoet), proofs, w.judgePoets)
	_, e4 := bus.ServeBatch(ctx, w.deps.Bus, bus.GossipIn(bus.TopicMalfeasance), proofs, judgeProofs(w, w.gossipedProof))
	_, e5 := bus.ServeBatch(ctx, w.deps.Bus, bus.SyncIn(bus.KindMalfeasance), proofs, judgeProofs(w, w.fetchedProof))
	_, e6 := bus.ServeBatch(ctx, w.deps.Bus, bus.Sign(w.cfg.Holder), signing, w.sign)
	_, e7 := bus.ServeBatch(ctx, w.deps.Bus, bus.ProveVRF(w.cfg.Holder), proving, w.prove)
	_, e8 := bus.Serve(ctx, w.deps.Bus, bus.Identities(w.cfg.Holder), bus.Queue{Length: 64, Full: actor.Refuse}, w.identities)
	return errors.Join(e1, e2, e3, e4, e5, e6, e7, e8, w.tasks.Serve(ctx), w.serveIdentities(ctx))
}

func (w *working) gossiped(m bus.PeerMessage, at time.Time) intake.Item {
	return intake.Item{Blob: m.Body, Source: atx.Source{Self: w.self(m.Peer)}, Received: at}
}

func (w *working) fetched(o bus.FetchedObject, at time.Time) intake.Item {
	return intake.Item{Blob: o.Body, Source: atx.Source{Sync: true, Want: o.Hash}, Received: at}
}

func (w *working) self(peer string) bool {
	if w.deps.Self == nil {
		return peer == bus.SelfPeer
	}
	return w.deps.Self(peer)
}

// deaf tells whether gossip is ignored because we lack what it builds on.
func (w *working) deaf() bool { return w.deps.Synced != nil && !w.deps.Synced() }

// judgeATXs answers a batch. A repeat finds the ATX stored, or judges it again.
func judgeATXs[Req any](w *working, item func(Req, time.Time) intake.Item) bus.BatchHandler[Req, bus.Judgement] {
	return func(ctx context.Context, calls []*bus.Call[Req, bus.Judgement]) {
		now := w.deps.Clock.Now()
		items := make([]intake.Item, len(calls))
		for i, call := range calls {
			items[i] = item(call.Request, now)
		}
		if !items[0].Source.Sync && w.deaf() {
			replyAll(calls, notSynced)
			return
		}
		w.metrics.Batch("atx", len(items))
		outcomes, err := w.intake.Handle(ctx, items, w.epoch(now))
		if err != nil {
			w.failAll(calls, "atxs", err)
			return
		}
		for i, call := range calls {
			w.answerATX(call.Reply, call.Fail, &outcomes[i])
		}
	}
}

var notSynced = bus.Judgement{Verdict: bus.Ignore, Reason: "not_synced"}

func replyAll[Req any](calls []*bus.Call[Req, bus.Judgement], j bus.Judgement) {
	for _, call := range calls {
		call.Reply(j)
	}
}

func (w *working) answerATX(reply func(bus.Judgement), fail func(error), out *atx.Outcome) {
	j, err := judgementOfATX(out)
	w.metrics.Judged("atx", j.Verdict.String(), j.Reason)
	if err != nil {
		w.deps.Log.Error("atx was not judged", "err", err)
		fail(err)
		return
	}
	reply(j)
}

// failAll answers calls of a batch with a failure of ours.
func (w *working) failAll(calls any, what string, err error) {
	w.deps.Log.Error("batch was not judged", "kind", what, "err", err)
	switch calls := calls.(type) {
	case []*bus.Call[bus.PeerMessage, bus.Judgement]:
		failEach(calls, err)
	case []*bus.Call[bus.FetchedObject, bus.Judgement]:
		failEach(calls, err)
	}
}

func failEach[Req, Rep any](calls []*bus.Call[Req, Rep], err error) {
	for _, call := range calls {
		call.Fail(err)
	}
}

// judgementOfATX translates an outcome. The error is ours.
func judgementOfATX(out *atx.Outcome) (bus.Judgement, error) {
	j := bus.Judgement{Reason: reasonOfATX(out)}
	if out.Err != nil {
		j.Detail = out.Err.Error()
	}
	for _, ref := range out.Missing.Poets {
		j.Missing = append(j.Missing, bus.Missing{Kind: bus.KindPoet, Hash: wire.Hash32(ref)})
	}
	for _, id := range out.Missing.ATXs {
		j.Missing = append(j.Missing, bus.Missing{Kind: bus.KindATX, Hash: wire.Hash32(id)})
	}
	switch {
	case out.Verdict == atx.Accept:
		j.Verdict = bus.Accept
	case out.Verdict == atx.Ignore, len(j.Missing) > 0:
		j.Verdict = bus.Ignore
	case out.Verdict == atx.Reject:
		j.Verdict = bus.Reject
	default:
		return bus.Judgement{}, fmt.Errorf("judge atx: %w", out.Err)
	}
	return j, nil
}

func reasonOfATX(out *atx.Outcome) string {
	if rule := atx.RuleOf(out.Err); rule != "" {
		return string(rule)
	}
	for _, known := range []struct {
		err    error
		reason string
	}{
		{atx.ErrKnown, "known"},
		{atx.ErrMissing, "missing"},
		{atx.ErrMalicious, "malicious"},
		{atx.ErrOwnDoublePublish, "own_double_publish"},
		{atx.ErrOwnWrongPrevious, "own_wrong_previous"},
		{atx.ErrNoEvidence, "no_evidence"},
	} {
		if errors.Is(out.Err, known.err) {
			return known.reason
		}
	}
	return ""
}

// judgePoets answers a batch. What is wrong with a proof is held against
// nobody (spec 03 §17.2). A repeat finds the proof stored.
func (w *working) judgePoets(ctx context.Context, calls []*bus.Call[bus.FetchedObject, bus.Judgement]) {
	items := make([]intake.PoetItem, len(calls))
	for i, call := range calls {
		items[i] = intake.PoetItem{Ref: wire.PoetProofRef(call.Request.Hash), Blob: call.Request.Body}
	}
	w.metrics.Batch("poet", len(items))
	verdicts, err := w.intake.Poets(ctx, items)
	if err != nil {
		w.failAll(calls, "poet proofs", err)
		return
	}
	for i, call := range calls {
		j := bus.Judgement{Verdict: bus.Accept}
		if e, ok := errors.AsType[*poet.RuleError](verdicts[i]); ok {
			j = bus.Judgement{Verdict: bus.Ignore, Reason: string(e.Rule), Detail: e.Error()}
		} else if verdicts[i] != nil {
			call.Fail(verdicts[i])
			continue
		}
		w.metrics.Judged("poet", j.Verdict.String(), j.Reason)
		call.Reply(j)
	}
}

func (w *working) gossipedProof(m bus.PeerMessage, at time.Time) intake.ProofItem {
	return intake.ProofItem{Body: m.Body, Self: w.self(m.Peer), Received: at}
}

func (w *working) fetchedProof(o bus.FetchedObject, at time.Time) intake.ProofItem {
	return intake.ProofItem{Body: o.Body, Sync: true, Want: wire.NodeID(o.Hash), Received: at}
}

// judgeProofs answers a batch. A repeat finds the identity malicious.
func judgeProofs[Req any](w *working, item func(Req, time.Time) intake.ProofItem) bus.BatchHandler[Req, bus.Judgement] {
	return func(ctx context.Context, calls []*bus.Call[Req, bus.Judgement]) {
		now := w.deps.Clock.Now()
		items := make([]intake.ProofItem, len(calls))
		for i, call := range calls {
			items[i] = item(call.Request, now)
		}
		if !items[0].Sync && w.deaf() {
			replyAll(calls, notSynced)
			return
		}
		w.metrics.Batch("malfeasance", len(items))
		outcomes, err := w.intake.Malfeasance(ctx, malfeasance.SpaceProofs{Verifier: w.post}, items)
		if err != nil {
			w.failAll(calls, "malfeasance proofs", err)
			return
		}
		for i, call := range calls {
			w.answerProof(call.Reply, call.Fail, &outcomes[i])
		}
	}
}

func (w *working) answerProof(reply func(bus.Judgement), fail func(error), out *malfeasance.Outcome) {
	j := bus.Judgement{Reason: string(malfeasance.RuleOf(out.Err))}
	if out.Err != nil {
		j.Detail = out.Err.Error()
	}
	switch out.Verdict {
	case malfeasance.Accept:
		j.Verdict = bus.Accept
	case malfeasance.Reject:
		j.Verdict = bus.Reject
	default:
		w.deps.Log.Error("malfeasance proof was not judged", "err", out.Err)
		fail(fmt.Errorf("judge malfeasance proof: %w", out.Err))
		return
	}
	w.metrics.Judged("malfeasance", j.Verdict.String(), j.Reason)
	reply(j)
}
