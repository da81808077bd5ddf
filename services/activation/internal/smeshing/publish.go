package smeshing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
)

// publish assembles the ATX, waits for its epoch, has it stored as any other, and
// hands it to gossip (spec 04 §5.11).
func (l *life) publish(ctx context.Context, c *challenge, n *nipost) error {
	id, blob, err := l.assemble(ctx, c, n)
	if err != nil {
		return err
	}
	start := l.calendar.EpochStart(c.Publish)
	if l.now().Before(start) {
		l.show(ctx, read.StepWaitPublish, c.Publish, start)
		if err := l.deps.Alarm.Sleep(ctx, start); err != nil {
			return err
		}
	}
	l.show(ctx, read.StepPublish, c.Publish, time.Time{})
	if err := l.storeOwn(ctx, id, blob); err != nil {
		return err
	}
	gossip, err := bus.GossipOut(bus.TopicATX).Outgoing(blob)
	if err != nil {
		return err
	}
	end := l.calendar.PublishEnds(c.Publish)
	err = l.tx(ctx, "publish", func(tx pgx.Tx) error {
		if err := outbox.AddTx(ctx, tx, gossip); err != nil {
			return err
		}
		if err := l.tell(ctx, tx, fmt.Sprint(c.Publish), &events.ATXPublished{
			Node: l.id, Publish: c.Publish, ID: id, Wait: end.Sub(l.now()), Until: end,
		}); err != nil {
			return err
		}
		return l.clear(ctx, tx)
	})
	if err == nil {
		l.metrics.published.Inc()
		l.show(ctx, read.StepPublished, c.Publish, end)
	}
	return err
}

// storeOwn offers the ATX to our own rules until they take it.
func (l *life) storeOwn(ctx context.Context, id wire.ATXID, blob []byte) error {
	if err := l.Smesher.step("before store"); err != nil {
		return err
	}
	for wait := l.cfg.Backoff; ; wait = min(2*wait, time.Minute) {
		now := l.now()
		out, err := l.storing.do(ctx, intake.Item{Blob: blob, Source: atx.Source{Self: true}, Received: now})
		switch {
		case err != nil:
		case out.Verdict == atx.Accept || errors.Is(out.Err, atx.ErrKnown):
			return l.Smesher.step("after store")
		case out.Verdict == atx.Reject && len(out.Missing.ATXs)+len(out.Missing.Poets) == 0:
			return fmt.Errorf("%w: own atx %v: %w", errPermanent, id, out.Err)
		default:
			err = out.Err
		}
		l.log.Warn("own atx is not stored yet", "atx", id, "err", err)
		l.note(ctx, fmt.Errorf("atx %v: %w", id, err))
		if err := l.deps.Alarm.Sleep(ctx, now.Add(wait)); err != nil {
			return err
		}
	}
}

func (s *Smesher) handle(ctx context.Context, items []intake.Item) ([]atx.Outcome, error) {
	return s.deps.Intake.Handle(ctx, items, s.calendar.EpochAt(s.deps.Alarm.Now()))
}

// assemble makes the same bytes from the same rows.
func (l *life) assemble(ctx context.Context, c *challenge, n *nipost) (wire.ATXID, []byte, error) {
	if l.cfg.Network.ATXVersionAt(c.Publish) == atx.Version1 {
		return l.assembleV1(ctx, c, n)
	}
	a := l.v2(c, n)
	var err error
	if a.Signature, err = l.sign(ctx, signing.SignATXv2{ATX: a}); err != nil {
		return wire.ATXID{}, nil, err
	}
	return a.ID(), codec.MustEncode(a), nil
}

func (l *life) assembleV1(ctx context.Context, c *challenge, n *nipost) (wire.ATXID, []byte, error) {
	a := &wire.ActivationTxV1{SmesherID: l.id}
	a.NIPostChallengeV1 = c.v1()
	a.Coinbase, a.NumUnits = n.Coinbase, n.Units
	a.NIPost = &wire.NIPostV1{
		Membership: c.Membership, Post: &n.Post,
		PostMetadata: &wire.PostMetadataV1{Challenge: c.Ref[:], LabelsPerUnit: n.LabelsPerUnit},
	}
	if c.Previous == nil {
		a.NodeID, a.VRFNonce = &l.id, &n.VRFNonce
	} else {
		var nonce int64
		err := l.deps.DB.QueryRow(ctx, `SELECT vrf_nonce FROM atxs WHERE id = $1`, c.Previous[:]).Scan(&nonce)
		if err != nil {
			return wire.ATXID{}, nil, fmt.Errorf("read vrf nonce of previous atx: %w", err)
		}
		if uint64(nonce) != n.VRFNonce {
			a.VRFNonce = &n.VRFNonce
		}
	}
	var err error
	if a.Signature, err = l.sign(ctx, signing.SignATXv1{ATX: a}); err != nil {
		return wire.ATXID{}, nil, err
	}
	return a.ID(), codec.MustEncode(a), nil
}

func (l *life) v2(c *challenge, n *nipost) *wire.ActivationTxV2 {
	a := &wire.ActivationTxV2{
		PublishEpoch: c.Publish, PositioningATX: c.Positioning, Coinbase: n.Coinbase, VRFNonce: n.VRFNonce, SmesherID: l.id,
		NiPosts: []wire.NiPostsV2{{
			Challenge: *c.Ref,
			Posts:     []wire.SubPostV2{{MembershipLeafIndex: c.Membership.LeafIndex, Post: n.Post, NumUnits: n.Units}},
		}},
	}
	a.NiPosts[0].Membership.Nodes = c.Membership.Nodes
	if c.Previous != nil {
		a.PreviousATXs = []wire.ATXID{*c.Previous}
	} else {
		a.Initial = &wire.InitialAtxPartsV2{CommitmentATX: *c.Commitment, Post: *c.Initial}
	}
	return a
}
