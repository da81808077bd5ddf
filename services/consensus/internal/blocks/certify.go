package blocks

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/engine"
)

// Handle judges a certify message from gossip (spec 06 §11.3). Own messages were
// judged before they were published.
func (w *Worker) Handle(ctx context.Context, m bus.PeerMessage) (bus.Judgement, error) {
	switch {
	case m.Peer == bus.SelfPeer:
		return bus.Judgement{Verdict: bus.Accept}, nil
	case !w.deps.Listening():
		return bus.Judgement{Verdict: bus.Ignore, Reason: "not_listening"}, nil
	}
	return w.deps.Engine.Certify(ctx, m.Body)
}

// certifyAll certifies outputs one after the other, beside the making of blocks.
func (w *Worker) certifyAll(ctx context.Context) {
	// An earlier process may have died before it did. Signing the same again gives
	// the same message.
	again, err := w.deps.Engine.Uncertified(ctx)
	if err != nil && ctx.Err() == nil {
		w.deps.Log.Warn("layers of an earlier process are not certified", "err", err)
	}
	for _, c := range again {
		w.certifyOrWarn(ctx, c)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-w.certify:
			w.certifyOrWarn(ctx, c)
		}
	}
}

func (w *Worker) certifyOrWarn(ctx context.Context, c engine.Uncertified) {
	if err := w.certifyOne(ctx, c); err != nil && ctx.Err() == nil {
		w.deps.Log.Warn("a layer is not certified", "layer", c.Layer, "err", err)
	}
}

// certifyOne makes the certify messages of all identities that sit in the
// committee (spec 06 §11.2): proofs in one request, signatures in another.
func (w *Worker) certifyOne(ctx context.Context, c engine.Uncertified) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	identities := w.deps.Keys.Identities()
	if len(identities) == 0 {
		return nil
	}
	beacon, ok := w.deps.Engine.BeaconOf(w.params.Epoch(c.Layer))
	if !ok {
		return fmt.Errorf("epoch %d has no beacon", w.params.Epoch(c.Layer))
	}
	message := eligibility.Message(beacon, block.Round, c.Layer)
	items := make([]bus.VRFItem, len(identities))
	for i, id := range identities {
		items[i] = bus.VRFItem{NodeID: id, Message: message}
	}
	var messages []wire.CertifyMessage
	for i, r := range w.deps.Keys.Prove(ctx, items) {
		if r.Outcome != bus.Signed {
			continue
		}
		count, err := w.deps.Engine.Oracle().Count(w.deps.Engine.CertifierSeat(c.Layer, identities[i], r.Proof))
		if err == nil && count > 0 {
			messages = append(messages, wire.CertifyMessage{
				CertifyContent: wire.CertifyContent{LayerID: c.Layer, BlockID: c.Block, EligibilityCnt: count, Proof: r.Proof},
				SmesherID:      identities[i],
			})
		}
	}
	return w.publishCertify(ctx, w.sign(ctx, messages))
}

// sign keeps the messages that were signed.
func (w *Worker) sign(ctx context.Context, messages []wire.CertifyMessage) []wire.CertifyMessage {
	if len(messages) == 0 {
		return nil
	}
	items := make([]bus.SignItem, len(messages))
	for i := range messages {
		items[i] = bus.SignItem{NodeID: messages[i].SmesherID, Domain: uint8(signing.Hare), Body: messages[i].SignedBytes()}
	}
	signed := messages[:0]
	for i, r := range w.deps.Keys.Sign(ctx, items) {
		if r.Outcome != bus.Signed {
			w.deps.Log.Warn("a certify message was not signed", "identity", messages[i].SmesherID, "layer", messages[i].LayerID, "reason", r.Reason)
			continue
		}
		messages[i].Signature = r.Signature
		signed = append(signed, messages[i])
	}
	return signed
}

// publishCertify publishes what the own certifier accepts.
func (w *Worker) publishCertify(ctx context.Context, messages []wire.CertifyMessage) error {
	var outgoing []bus.Stored
	for i := range messages {
		raw := codec.MustEncode(&messages[i])
		j, err := w.deps.Engine.Certify(ctx, raw)
		if err != nil {
			return err
		}
		if j.Verdict != bus.Accept {
			w.deps.Log.Warn("an own certify message is not published", "identity", messages[i].SmesherID, "reason", j.Reason, "detail", j.Detail)
			continue
		}
		out, err := bus.GossipOut(bus.TopicCertify).Outgoing(raw)
		if err != nil {
			return err
		}
		sum := wire.Sum(raw)
		outgoing = append(outgoing, bus.Stored{ID: "certify." + hex.EncodeToString(sum[:]), Outgoing: out})
	}
	if len(outgoing) == 0 {
		return nil
	}
	w.deps.Metrics.published(len(outgoing))
	return errors.Join(w.deps.Bus.Store(ctx, outgoing)...)
}
