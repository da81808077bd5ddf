package activation

import (
	"bytes"
	"context"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/cores"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
)

// sign answers requests for signatures, all of a batch in one transaction of the
// guard. A repeat is harmless: the same bytes get the same signature.
func (w *working) sign(ctx context.Context, calls []*bus.Call[bus.SignRequest, bus.SignReply]) {
	replies := make([]bus.SignReply, len(calls))
	var items []guard.Item
	var results []*bus.SignResult
	for i, call := range calls {
		replies[i].Results = make([]bus.SignResult, len(call.Request.Items))
		for j := range call.Request.Items {
			it, result := &call.Request.Items[j], &replies[i].Results[j]
			request := requestOf(signing.Domain(it.Domain), it.Body)
			if request == nil {
				*result = bus.SignResult{Outcome: bus.SignRefused, Reason: guard.ReasonNoRule}
				w.metrics.Signing.WithLabelValues("", guard.Refused.String()).Inc()
				continue
			}
			items, results = append(items, guard.Item{NodeID: it.NodeID, Request: request}), append(results, result)
		}
	}
	verdicts, err := w.guard.Sign(ctx, items)
	if err != nil {
		w.deps.Log.Error("nothing was signed", "items", len(items), "err", err)
		failEach(calls, err)
		return
	}
	for i, v := range verdicts {
		*results[i] = bus.SignResult{Outcome: outcomes[v.Outcome], Reason: v.Reason, Signature: v.Signature}
	}
	for i, call := range calls {
		call.Reply(replies[i])
	}
}

// outcomes are the guard's on the bus.
var outcomes = [...]bus.SignOutcome{
	guard.Unknown: bus.SignUnknown, guard.Signed: bus.Signed, guard.Refused: bus.SignRefused, guard.NotOurs: bus.SignNotOurs,
}

// requestOf reads what other services ask to have signed, or is nil. ATXs,
// marriages and registrations at PoETs are made in this service alone, so their
// domains have no door here.
func requestOf(domain signing.Domain, body []byte) signing.Request {
	switch domain {
	case signing.Proposal:
		var r signing.SignProposal
		return decoded(body, &r.Meta, func() signing.Request { return r })
	case signing.Ballot:
		var r signing.SignBallot
		return decoded(body, &r.Meta, func() signing.Request { return r })
	case signing.Hare:
		// Two messages share the domain; their lengths keep them apart.
		var certify signing.SignCertify
		if r := decoded(body, &certify.Content, func() signing.Request { return certify }); r != nil {
			return r
		}
		var r signing.SignHare
		return decoded(body, &r.Meta, func() signing.Request { return r })
	case signing.BeaconFirst:
		var r signing.SignBeaconFirst
		return decoded(body, &r.Body, func() signing.Request { return r })
	case signing.BeaconFollowup:
		var r signing.SignBeaconFollowup
		return decoded(body, &r.Body, func() signing.Request { return r })
	}
	return nil
}

// decoded wants a body that is exactly what will be signed.
func decoded[T any, P codec.Pointer[T]](body []byte, into P, request func() signing.Request) signing.Request {
	if codec.Decode(body, into) != nil {
		return nil
	}
	if again, err := codec.Encode(into); err != nil || !bytes.Equal(again, body) {
		return nil
	}
	return request()
}

// prove answers requests for VRF proofs. A repeat gives the same bytes.
func (w *working) prove(ctx context.Context, calls []*bus.Call[bus.VRFRequest, bus.VRFReply]) {
	for _, call := range calls {
		items := call.Request.Items
		reply := bus.VRFReply{Results: make([]bus.VRFResult, len(items))}
		err := cores.Spread(ctx, len(items), 16, func(from, to int) {
			for i := from; i < to; i++ {
				reply.Results[i].Outcome = bus.SignNotOurs
				if proof, ok := w.guard.Prove(items[i].NodeID, items[i].Message); ok {
					reply.Results[i] = bus.VRFResult{Outcome: bus.Signed, Proof: proof}
				}
			}
		})
		if err != nil {
			call.Fail(err)
			continue
		}
		w.metrics.Signing.WithLabelValues("vrf", guard.Signed.String()).Add(float64(len(items)))
		call.Reply(reply)
	}
}

// identities lists what this process holds now. It reads only.
func (w *working) identities(context.Context, bus.None) (bus.IdentitiesReply, error) {
	return bus.IdentitiesReply{NodeIDs: append([]wire.NodeID{}, w.guard.Held()...)}, nil
}
