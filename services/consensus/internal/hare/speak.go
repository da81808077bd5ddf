package hare

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/eligibility"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// signChunk is how many signatures are one request: several are signed, and their
// messages judged, side by side.
const signChunk = 256

// own is a message of an own identity, with the bytes that were signed.
type own struct {
	*wire.HareMessage
	body []byte
}

// spoken is what becomes of a round's messages. It belongs to the driver's
// goroutine.
type spoken struct {
	protocol.Sign
	chunks         int // that are under way
	said           int
	unsigned, late int
	refusal        string // of one that was not signed
	err            error  // of one that hare did not take
}

// sign asks for a round's signatures. What is not signed is not said.
func (d *Driver) sign(v *version, e protocol.Sign) {
	of := &spoken{Sign: e, chunks: (len(e.Messages) + signChunk - 1) / signChunk}
	for messages := range slices.Chunk(e.Messages, signChunk) {
		d.spawn(func(ctx context.Context) {
			signed, refusal := d.signatures(ctx, messages)
			_ = d.post(ctx, func() { d.signed(v, of, signed, len(messages)-len(signed), refusal) })
		})
	}
}

func (d *Driver) signatures(ctx context.Context, messages []*wire.HareMessage) (signed []own, refusal string) {
	items := make([]bus.SignItem, len(messages))
	for i, m := range messages {
		items[i] = bus.SignItem{NodeID: m.Sender, Domain: uint8(signing.Hare), Body: m.SignedBytes()}
	}
	signed = make([]own, 0, len(items))
	for i, r := range d.deps.Keys.Sign(ctx, items) {
		if r.Outcome != bus.Signed {
			refusal = fmt.Sprintf("%d %s", r.Outcome, r.Reason)
			continue
		}
		messages[i].Signature = r.Signature
		signed = append(signed, own{messages[i], items[i].Body})
	}
	return signed, refusal
}

// signed judges own messages and publishes those that hare accepts. Those that are
// too late for their session are dropped.
func (d *Driver) signed(v *version, of *spoken, messages []own, unsigned int, refusal string) {
	outgoing := make([]outgoing, 0, len(messages))
	for i := range messages {
		d.vouched = &messages[i]
		step := v.core.Signed(messages[i].HareMessage)
		d.vouched = nil
		if step.Verdict != protocol.Accept {
			of.late, of.err = of.late+1, step.Err
		}
		for _, effect := range step.Effects {
			if e, ok := effect.(protocol.Publish); ok {
				outgoing = append(outgoing, d.outgoing(v, messages[i], e.Message))
			} else {
				d.do(v, []protocol.Effect{effect})
			}
		}
	}
	d.hand(outgoing)
	of.said += len(outgoing)
	of.unsigned += unsigned
	if unsigned > 0 {
		of.refusal = refusal
	}
	if of.chunks--; of.chunks == 0 {
		d.summarise(v, of)
	}
}

// summarise tells what became of a round.
func (d *Driver) summarise(v *version, of *spoken) {
	after := d.deps.Now().Sub(d.layers.Start(of.Layer).Add(v.core.Params().RoundStart(of.At)))
	d.deps.Metrics.said(of.said, after)
	d.deps.Metrics.unsaid(of.unsigned, of.late)
	d.deps.Log.Debug("own hare messages", "layer", of.Layer, "round", of.At, "messages", of.said, "late", of.late, "after", after)
	if of.unsigned > 0 {
		d.deps.Log.Warn("hare messages were not signed", "layer", of.Layer, "round", of.At, "messages", of.unsigned, "one", of.refusal)
	}
	if of.late > 0 {
		d.deps.Log.Info("own hare messages are not published", "layer", of.Layer, "round", of.At, "messages", of.late, "after", after, "one", of.err)
	}
}

// outgoing is a message on its way to gossip.
type outgoing struct {
	own
	topic   bus.GossipTopic
	message []byte
}

func (d *Driver) outgoing(v *version, m own, message []byte) outgoing {
	return outgoing{m, v.topic, message}
}

// hand gives messages to the publisher.
func (d *Driver) hand(messages []outgoing) {
	if len(messages) == 0 {
		return
	}
	select {
	case d.outbox <- messages:
	default:
		d.deps.Log.Warn("hare's messages are lost: gossip does not take them", "messages", len(messages))
	}
}

// publish gives messages to gossip, in order.
func (d *Driver) publish() {
	for {
		select {
		case <-d.ctx.Done():
			return
		case messages := <-d.outbox:
			batch := d.stored(messages)
			if err := errors.Join(d.deps.Publisher.Store(d.ctx, batch)...); err != nil {
				d.deps.Log.Warn("hare's messages are lost", "messages", len(batch), "err", err)
			}
		}
	}
}

// stored names messages by their content. Their signatures are verified here, not
// before they are judged, where the round would wait for it: peers must not see a
// bad one, whoever is to blame.
func (d *Driver) stored(messages []outgoing) []bus.Stored {
	batch := make([]bus.Stored, 0, len(messages))
	for i := range messages {
		m := &messages[i]
		if !d.deps.Node.VerifyHare(m.Sender, m.body, m.Signature) {
			d.deps.Log.Error("activation gave a signature that does not verify", "identity", m.Sender)
			continue
		}
		out, err := bus.GossipOut(m.topic).Outgoing(m.message)
		if err != nil {
			d.deps.Log.Error("a hare message does not encode", "err", err)
			continue
		}
		sum := wire.Sum([]byte(m.topic), m.message)
		batch = append(batch, bus.Stored{ID: string(m.topic) + "." + hex.EncodeToString(sum[:]), Outgoing: out})
	}
	return batch
}

// vouches tells whether a signature is that of the own message being judged.
func (o *own) vouches(id wire.NodeID, body []byte, sig wire.EdSignature) bool {
	return o != nil && o.Sender == id && o.Signature == sig && bytes.Equal(o.body, body)
}

// seated tells whether a seat is that of the own message being judged: it was
// counted here.
func (o *own) seated(s *eligibility.Seat, claimed uint16) bool {
	return o != nil && o.Sender == s.Node && o.Body.Layer == s.Layer && o.Body.Absolute() == s.Round &&
		o.Body.Eligibility == wire.HareEligibility{Proof: s.Proof, Count: claimed}
}

// seating is the oracle as the cores see it.
type seating struct {
	Oracle
	*Driver
}

// Validate is protocol.Oracle.
func (s seating) Validate(seat eligibility.Seat, claimed uint16) (bool, error) {
	if s.vouched.seated(&seat, claimed) {
		return true, nil
	}
	return s.Oracle.Validate(seat, claimed)
}
