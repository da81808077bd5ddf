package smeshing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/events"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// hash is what PoETs are given.
func (c *challenge) hash(version uint8) wire.Hash32 {
	if version == atx.Version1 {
		v1 := c.v1()
		return v1.Hash()
	}
	v2 := wire.NIPostChallengeV2{
		PublishEpoch: c.Publish, PositioningATXID: c.Positioning, InitialPost: c.Initial,
	}
	if c.Previous != nil {
		v2.PrevATXID = *c.Previous
	}
	return v2.Hash()
}

func (c *challenge) v1() wire.NIPostChallengeV1 {
	v1 := wire.NIPostChallengeV1{
		PublishEpoch: c.Publish, Sequence: c.Sequence, PositioningATXID: c.Positioning,
		CommitmentATXID: c.Commitment, InitialPost: c.Initial,
	}
	if c.Previous != nil {
		v1.PrevATXID = *c.Previous
	}
	return v1
}

// previous is the identity's last ATX, or nil.
func (l *life) previous(ctx context.Context) (*atx.Row, error) {
	var id []byte
	var publish, base, ticks, sequence, nonce int64
	err := l.deps.DB.QueryRow(ctx, `SELECT id, publish_epoch, base_height, tick_count, sequence, vrf_nonce
		FROM atxs WHERE node_id = $1 ORDER BY publish_epoch DESC, received DESC LIMIT 1`, l.id[:]).
		Scan(&id, &publish, &base, &ticks, &sequence, &nonce)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the identity's last atx: %w", err)
	}
	return &atx.Row{
		ID: wire.ATXID(id), PublishEpoch: wire.EpochID(publish), NodeID: l.id, BaseHeight: uint64(base),
		Ticks: uint64(ticks), Sequence: uint64(sequence), VRFNonce: uint64(nonce),
	}, nil
}

// challenge waits until registration opens, chooses what to build on, and stores
// it (spec 04 §5.6).
func (l *life) challenge(ctx context.Context) (*challenge, error) {
	prev, err := l.previous(ctx)
	if err != nil {
		return nil, err
	}
	for {
		plan := l.calendar.PlanChallenge(l.now(), epochOf(prev))
		if !plan.Wait {
			return l.build(ctx, plan.Publish, prev)
		}
		if err := l.waitWindow(ctx, &plan); err != nil {
			return nil, err
		}
		// It may have arrived meanwhile, and then the plan is another one.
		if prev, err = l.previous(ctx); err != nil {
			return nil, err
		}
	}
}

func epochOf(prev *atx.Row) *wire.EpochID {
	if prev == nil {
		return nil
	}
	return &prev.PublishEpoch
}

func (l *life) waitWindow(ctx context.Context, plan *atx.Plan) error {
	l.show(ctx, read.StepWaitWindow, plan.Publish, plan.WaitUntil)
	l.say(ctx, fmt.Sprint(plan.Publish), &events.PoetWaitRound{
		Node: l.id, Current: plan.Registration, Publish: plan.Publish,
		Wait: plan.WaitUntil.Sub(l.now()), Until: plan.WaitUntil,
	})
	return l.deps.Alarm.Sleep(ctx, plan.WaitUntil)
}

func (l *life) build(ctx context.Context, publish wire.EpochID, prev *atx.Row) (*challenge, error) {
	l.show(ctx, read.StepRegister, publish, l.calendar.RoundStart(publish))
	c := &challenge{Publish: publish, Sequence: atx.NextSequence(prev)}
	if prev == nil {
		if err := l.initial(ctx, c); err != nil {
			return nil, err
		}
	} else {
		c.Previous = &prev.ID
	}
	ends, _ := l.calendar.SelectionEnds(publish)
	if l.cfg.Network.Poet.PositioningATXSelectionTimeout <= 0 {
		ends = time.Time{}
	}
	found, err := l.search.find(ctx, l.Smesher, searchKey{limit: publish - 1}, l.id, ends)
	if err != nil {
		return nil, err
	}
	c.Positioning = atx.ChoosePositioning(l.cfg.Network.Genesis.GoldenATX(), found, prev)
	return c, l.tx(ctx, "challenge", func(tx pgx.Tx) error { return l.insertChallenge(ctx, tx, c) })
}

// initial adds the first proof of space, if it still holds.
func (l *life) initial(ctx context.Context, c *challenge) error {
	rows, err := l.load(ctx)
	if err != nil {
		return err
	}
	p := rows.initial
	if p == nil || !wire.IsZero(p.Challenge) {
		return errInitialPost
	}
	valid, err := l.checkInitial(&p.Post, p.Commitment, p.Units)
	if err != nil {
		return err
	}
	if !valid {
		return errInitialPost
	}
	c.Initial, c.Commitment = &p.Post, &p.Commitment
	return nil
}

func (l *life) insertChallenge(ctx context.Context, tx pgx.Tx, c *challenge) error {
	var nonce, pow *int64
	var indices []byte
	if c.Initial != nil {
		n, p := int64(c.Initial.Nonce), int64(c.Initial.Pow)
		nonce, pow, indices = &n, &p, c.Initial.Indices
		if indices == nil {
			indices = []byte{}
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO challenges (node_id, publish_epoch, sequence, previous, positioning, commitment, nonce, indices, pow)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, l.id[:], int64(c.Publish), int64(c.Sequence), bytesOf(c.Previous),
		c.Positioning[:], bytesOf(c.Commitment), nonce, indices, pow)
	return err
}

func bytesOf(id *wire.ATXID) []byte {
	if id == nil {
		return nil
	}
	return id[:]
}
