package smeshing

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
)

// search finds the ATX to build on, once for all identities of this process. The
// first that asks for a key searches, the others wait for what it finds; they do
// not wait for identities that ask for something else.
type search struct {
	mu    sync.Mutex
	finds map[searchKey]*find
}

// searchKey is the newest publish epoch to look in, and what for: an ATX to take
// the position from, or to bind data to, where nobody's word is taken.
type searchKey struct {
	limit      wire.EpochID
	commitment bool
}

type find struct {
	done  chan struct{}
	found *atx.Candidate
	err   error
}

// keptFinds is enough for epochs in which identities may stand at a time.
const keptFinds = 4

// find returns the best candidate, or nil for the golden ATX. A search that
// fails is not remembered; one that ran out of time is, because there is no time
// for another.
func (s *search) find(ctx context.Context, in *Smesher, key searchKey, trusted wire.NodeID, ends time.Time) (*atx.Candidate, error) {
	s.mu.Lock()
	f, ok := s.finds[key]
	if !ok {
		f = &find{done: make(chan struct{})}
		s.keep(key, f)
		in.searches.Go(func() { s.run(context.WithoutCancel(ctx), in, key, f, trusted, ends) })
	}
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-f.done:
		return f.found, f.err
	}
}

func (s *search) keep(key searchKey, f *find) {
	if s.finds == nil {
		s.finds = make(map[searchKey]*find)
	}
	for len(s.finds) >= keptFinds {
		oldest := key
		for k := range s.finds {
			if k.limit <= oldest.limit {
				oldest = k
			}
		}
		if oldest == key {
			break
		}
		delete(s.finds, oldest)
	}
	s.finds[key] = f
}

func (s *search) run(ctx context.Context, in *Smesher, key searchKey, f *find, trusted wire.NodeID, ends time.Time) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-in.stopped:
			stop()
		case <-ctx.Done():
		}
	}()
	f.found, f.err = in.candidate(ctx, key, trusted, ends)
	if f.err != nil || key.commitment {
		s.mu.Lock()
		if s.finds[key] == f {
			delete(s.finds, key)
		}
		s.mu.Unlock()
	}
	close(f.done)
}

// candidate is the highest honest ATX whose chain verifies (spec 04 §5.7).
func (s *Smesher) candidate(ctx context.Context, key searchKey, trusted wire.NodeID, ends time.Time) (*atx.Candidate, error) {
	ranked, marked, err := s.candidates(ctx, key.limit)
	if err != nil || len(ranked) == 0 {
		return nil, err
	}
	timed := ctx
	if !ends.IsZero() {
		var cancel context.CancelFunc
		timed, cancel = s.deps.Alarm.Until(ctx, ends)
		defer cancel()
	}
	trust := intake.Trust{Identity: trusted, Before: s.assumed()}
	var failed error
	found := atx.FindCandidate(ranked, func(id wire.ATXID) (bool, error) {
		if v := marked[id]; v != atx.ValidityUnknown {
			return v == atx.ValidityValid, nil
		}
		valid, err := s.deps.Intake.VerifyChains(timed, []wire.ATXID{id}, trust, true)
		if err != nil {
			failed = err
			return false, err
		}
		return valid[0], nil
	})
	switch {
	case failed == nil:
		return found, nil
	case errors.Is(context.Cause(timed), context.DeadlineExceeded):
		s.deps.Log.Warn("search for a positioning atx ran out of time", "limit", key.limit)
		return verified(ranked, marked), nil
	}
	return nil, failed
}

// verified is the best that needs no time: one that was verified before.
func verified(ranked []atx.Candidate, marked map[wire.ATXID]atx.Validity) *atx.Candidate {
	return atx.FindCandidate(ranked, func(id wire.ATXID) (bool, error) { return marked[id] == atx.ValidityValid, nil })
}

// assumed is before when ATXs must have come to be taken for valid.
func (s *Smesher) assumed() time.Time {
	if s.cfg.Network.Post.ValidDelay == math.MaxInt64 {
		return time.Time{}
	}
	return s.deps.Alarm.Now().Add(-s.cfg.Network.Post.ValidDelay)
}

// candidates are the ATXs of the newest epoch that has any, up to a limit, in the
// order in which they are tried.
func (s *Smesher) candidates(ctx context.Context, limit wire.EpochID) ([]atx.Candidate, map[wire.ATXID]atx.Validity, error) {
	rows, err := s.deps.DB.Query(ctx, `SELECT id, base_height, tick_count, validity, received,
			EXISTS (SELECT FROM malicious m WHERE m.node_id = a.node_id) OR EXISTS (SELECT FROM malfeasance_v2 m WHERE m.node_id = a.node_id)
		FROM atxs a
		WHERE publish_epoch = (SELECT max(publish_epoch) FROM atxs WHERE publish_epoch <= $1)`, int64(limit))
	if err != nil {
		return nil, nil, fmt.Errorf("read candidates: %w", err)
	}
	var list []atx.Candidate
	marked := make(map[wire.ATXID]atx.Validity)
	var id []byte
	var base, ticks, received int64
	var validity int16
	var malicious bool
	_, err = pgx.ForEachRow(rows, []any{&id, &base, &ticks, &validity, &received, &malicious}, func() error {
		c := atx.Candidate{ID: wire.ATXID(id), Height: uint64(base) + uint64(ticks), Malicious: malicious}
		if v := atx.Validity(validity); received == 0 {
			marked[c.ID] = atx.ValidityValid // of a checkpoint
		} else if v != atx.ValidityUnknown {
			marked[c.ID] = v
		}
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read candidates: %w", err)
	}
	return atx.RankCandidates(list), marked, nil
}
