package smeshing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/post"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/poets"
)

// begin sees to the data, the first proof of space and certificates (spec 04
// §5.3–5.4).
func (l *life) begin(ctx context.Context) error {
	if err := l.data(ctx); err != nil {
		return err
	}
	known, err := l.previous(ctx)
	if err != nil {
		return err
	}
	rows, err := l.load(ctx)
	if err != nil {
		return err
	}
	if known == nil && rows.initial == nil {
		if err := l.initialPost(ctx); err != nil {
			return err
		}
	}
	l.certify(ctx)
	return ctx.Err()
}

// data waits for the identity's data, or makes them.
func (l *life) data(ctx context.Context) error {
	for {
		_, ok, err := l.deps.Space.Info(ctx, l.id)
		switch {
		case err != nil:
			return fmt.Errorf("space: %w", err)
		case ok:
			return nil
		case l.cfg.AutoInit:
			return l.initialise(ctx)
		}
		l.show(ctx, read.StepWaitData, 0, time.Time{})
		if err := l.deps.Alarm.Sleep(ctx, l.now().Add(pollEvery)); err != nil {
			return err
		}
	}
}

func (l *life) initialise(ctx context.Context) error {
	setup, complete, err := l.setup(ctx)
	if err != nil {
		return err
	}
	l.show(ctx, read.StepInit, 0, time.Time{})
	if !complete {
		l.say(ctx, "init", &events.InitStart{Node: l.id, Commitment: setup.Commitment})
	}
	if _, err = l.deps.Space.Initialize(ctx, setup); err != nil {
		if ctx.Err() == nil {
			l.say(ctx, fmt.Sprintf("init/%d", l.now().UnixNano()), &events.InitFailed{Node: l.id, Commitment: setup.Commitment, Error: err.Error()})
		}
		return fmt.Errorf("initialise: %w", err)
	}
	if complete {
		return nil
	}
	return l.tx(ctx, "initialised", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE initialisations SET complete = true WHERE node_id = $1`, l.id[:]); err != nil {
			return err
		}
		return l.tell(ctx, tx, "init", &events.InitComplete{Node: l.id})
	})
}

// setup is what the identity's data was begun with, or what it begins with now.
func (l *life) setup(ctx context.Context) (SpaceSetup, bool, error) {
	setup, complete, err := l.storedSetup(ctx)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return setup, complete, err
	}
	setup = SpaceSetup{Node: l.id, Units: l.cfg.Units}
	if setup.Commitment, err = l.chooseCommitment(ctx); err != nil {
		return setup, false, err
	}
	return setup, false, l.tx(ctx, "commitment", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO initialisations (node_id, commitment, units) VALUES ($1, $2, $3)`,
			l.id[:], setup.Commitment[:], int64(setup.Units))
		return err
	})
}

func (l *life) storedSetup(ctx context.Context) (setup SpaceSetup, complete bool, err error) {
	var commitment []byte
	var units int64
	err = l.deps.DB.QueryRow(ctx, `SELECT commitment, units, complete FROM initialisations WHERE node_id = $1`, l.id[:]).
		Scan(&commitment, &units, &complete)
	if err != nil {
		return setup, false, err
	}
	return SpaceSetup{Node: l.id, Commitment: wire.ATXID(commitment), Units: uint32(units)}, complete, nil
}

// chooseCommitment is what new data is bound to (spec 04 §6.5).
func (l *life) chooseCommitment(ctx context.Context) (wire.ATXID, error) {
	known, err := l.previous(ctx)
	if err != nil {
		return wire.ATXID{}, err
	}
	if known != nil {
		return l.commitment(ctx)
	}
	if err := l.synced(ctx); err != nil {
		return wire.ATXID{}, err
	}
	found, err := l.search.find(ctx, l.Smesher, searchKey{commitment: true, limit: l.calendar.EpochAt(l.now())}, wire.NodeID{}, time.Time{})
	if err != nil || found == nil {
		return l.cfg.Network.Genesis.GoldenATX(), err
	}
	return found.ID, nil
}

// commitment is that of the identity's ATXs.
func (l *life) commitment(ctx context.Context) (wire.ATXID, error) {
	var id []byte
	err := l.deps.DB.QueryRow(ctx, `SELECT commitment FROM atxs WHERE node_id = $1 AND commitment IS NOT NULL
		ORDER BY publish_epoch DESC, seq DESC LIMIT 1`, l.id[:]).Scan(&id)
	if err != nil {
		return wire.ATXID{}, fmt.Errorf("commitment of the identity's first atx: %w", err)
	}
	return wire.ATXID(id), nil
}

func (l *life) initialPost(ctx context.Context) error {
	l.show(ctx, read.StepInitialPost, 0, time.Time{})
	proof, err := l.proveSpace(ctx, wire.Hash32{}, l.now().Add(l.patience()))
	if err != nil {
		return err
	}
	i := proof.Info
	return l.tx(ctx, "initial post", func(tx pgx.Tx) error {
		return l.insertInitial(ctx, tx, &initialPost{
			Post: proof.Post, Units: i.Units, Commitment: i.Commitment, VRFNonce: *i.Nonce,
		})
	})
}

// patience bounds one try for a proof that no epoch waits for.
func (l *life) patience() time.Duration {
	return time.Duration(l.cfg.Network.LayersPerEpoch) * l.cfg.Network.LayerDuration
}

func (l *life) insertInitial(ctx context.Context, tx pgx.Tx, p *initialPost) error {
	_, err := tx.Exec(ctx, `INSERT INTO initial_posts (node_id, nonce, indices, pow, challenge, units, commitment, vrf_nonce)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (node_id) DO NOTHING`, l.id[:], int64(p.Post.Nonce), p.Post.Indices,
		int64(p.Post.Pow), p.Challenge[:], int64(p.Units), p.Commitment[:], int64(p.VRFNonce))
	return err
}

// checkInitial verifies the first proof of space against data as it is said to
// be now.
func (l *life) checkInitial(p *wire.PostV1, commitment wire.ATXID, units uint32) (bool, error) {
	return l.valid(p, post.Statement{NodeID: l.id, CommitmentATX: commitment, NumUnits: units})
}

func (l *life) valid(p *wire.PostV1, about post.Statement) (bool, error) {
	found, errs := l.deps.Verify.Posts([]atx.PostCheck{{Statement: about, Post: p, All: true}})
	return found[0].Valid, errs[0]
}

// certify gets certificates from the certifiers of all PoETs, as far as they have
// one. Without it, registrations cost a proof of work.
func (l *life) certify(ctx context.Context) {
	var group sync.WaitGroup
	for _, server := range l.deps.PoETs.All() {
		group.Go(func() {
			if err := server.Certify(ctx, l.id, l.certifiable); err != nil && !errors.Is(err, poets.ErrNoCertifier) && ctx.Err() == nil {
				l.log.Warn("no certificate", "poet", server.Name(), "err", err)
			}
		})
	}
	group.Wait()
}

// errNothingToCertify: the identity has no proof of space to show.
var errNothingToCertify = errors.New("no proof of space to certify")

// certifiable is the proof that certifiers are shown: the stored one, or that of
// the identity's last ATX.
func (l *life) certifiable(ctx context.Context) (*rest.CertifyRequest, error) {
	rows, err := l.load(ctx)
	if err != nil {
		return nil, err
	}
	p := rows.initial
	if p == nil {
		if p, err = l.lastPost(ctx); err != nil {
			return nil, err
		}
		if err = l.tx(ctx, "certified post", func(tx pgx.Tx) error { return l.insertInitial(ctx, tx, p) }); err != nil {
			return nil, err
		}
	}
	return &rest.CertifyRequest{
		Post: p.Post, NodeID: l.id, CommitmentATX: p.Commitment, Challenge: p.Challenge[:], NumUnits: p.Units,
	}, nil
}

func (l *life) lastPost(ctx context.Context) (*initialPost, error) {
	last, err := l.previous(ctx)
	if err != nil {
		return nil, err
	}
	if last == nil {
		return nil, errNothingToCertify
	}
	var blob []byte
	if err := l.deps.DB.QueryRow(ctx, `SELECT blob FROM atxs WHERE id = $1`, last.ID[:]).Scan(&blob); err != nil {
		return nil, fmt.Errorf("read last atx: %w", err)
	}
	commitment, err := l.commitment(ctx)
	if err != nil {
		return nil, err
	}
	p := &initialPost{Commitment: commitment, VRFNonce: last.VRFNonce}
	m, err := atx.Decode(blob, l.cfg.Network.ATXVersions)
	switch {
	case err != nil || len(blob) == 0:
		return nil, errNothingToCertify
	case m.V1 != nil && m.V1.NIPost != nil && m.V1.NIPost.Post != nil && m.V1.NIPost.PostMetadata != nil:
		p.Post, p.Units = *m.V1.NIPost.Post, m.V1.NumUnits
		p.Challenge = wire.Hash32(m.V1.NIPost.PostMetadata.PoetRef())
	case m.V2 != nil && len(m.V2.NiPosts) > 0 && len(m.V2.NiPosts[0].Posts) > 0:
		first := &m.V2.NiPosts[0]
		p.Post, p.Units, p.Challenge = first.Posts[0].Post, first.Posts[0].NumUnits, wire.Hash32(first.Challenge)
	default:
		return nil, errNothingToCertify
	}
	return p, nil
}
