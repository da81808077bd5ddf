package worker

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/roundstore"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/services/poet/internal/db"
)

// Config of a worker.
type Config struct {
	Schedule poet.Schedule
	// Dir holds the files of rounds at work.
	Dir string
	// KeptLayer says how much of the tree stays on disk.
	KeptLayer uint8
	// Provers is how many goroutines make a proof.
	Provers int
	// Nice lowers the priority of the working thread, 0 to 19.
	Nice int
}

// Worker closes and works on rounds while it has the lease.
type Worker struct {
	cfg   Config
	key   ed25519.PublicKey
	db    *store.DB
	lease *lease.Holder
	log   *slog.Logger
	now   func() time.Time
	// proved is called after a proof was published.
	proved func()

	leaves, round atomic.Uint64
}

// New makes a worker; proved is told of each published proof.
func New(cfg Config, key ed25519.PublicKey, database *store.DB, holder *lease.Holder, log *slog.Logger, now func() time.Time, proved func()) *Worker {
	holder.Want(db.Worker)
	return &Worker{cfg: cfg, key: key, db: database, lease: holder, log: log, now: now, proved: proved}
}

// Leaves is how far the round at work is, and which one it is; 0 without one.
func (w *Worker) Leaves() (round uint32, leaves uint64) {
	return uint32(w.round.Load()), w.leaves.Load()
}

// poll is how often a worker looks for its lease and for rounds that failed.
const poll = 200 * time.Millisecond

// Run works while this process has the lease, until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if term, ok := w.lease.Term(db.Worker); ok {
			w.log.Info("this process works on rounds", "term", term)
			if err := w.lead(ctx, term); err != nil && ctx.Err() == nil {
				w.log.Warn("the worker stopped and tries again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// lead opens and closes rounds, and has the closed ones worked on, one at a time.
func (w *Worker) lead(ctx context.Context, term lease.Term) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var busy chan error
	defer func() {
		if cancel(); busy == nil {
			return
		}
		if err := <-busy; err != nil && !errors.Is(err, context.Canceled) {
			w.log.Warn("work on the round ended", "err", err)
		}
	}()
	for {
		if now, ok := w.lease.Term(db.Worker); ok && now != term {
			return db.ErrNotWorker
		}
		open := w.cfg.Schedule.OpenRound(w.now())
		if err := w.turn(ctx, term, open); err != nil {
			return err
		}
		if busy == nil {
			next, err := w.next(ctx, term)
			if err != nil {
				return err
			}
			if next != nil {
				busy = w.begin(ctx, term, *next)
			}
		}
		timer := time.NewTimer(min(w.cfg.Schedule.RoundStart(open).Sub(w.now()), time.Second))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case err := <-busy:
			if busy = nil; err != nil {
				timer.Stop()
				return err
			}
		}
		timer.Stop()
	}
}

// turn opens the round that is due and closes those whose registration is over.
func (w *Worker) turn(ctx context.Context, term lease.Term, open uint32) error {
	newest, closed, ok, err := db.Newest(ctx, w.db)
	if err != nil || ok && newest == open {
		return err
	}
	if ok && newest < open && !closed {
		members, err := db.Close(ctx, w.db, term, newest)
		if err != nil {
			return err
		}
		w.log.Info("round closed", "round", newest, "members", members)
	}
	if ok && newest > open {
		return nil // clocks disagree; the later round stays open
	}
	return db.Open(ctx, w.db, open)
}

// next is the round to work on; rounds that are over without any work are skipped.
func (w *Worker) next(ctx context.Context, term lease.Term) (*db.Closed, error) {
	list, err := db.Unproved(ctx, w.db)
	if err != nil {
		return nil, err
	}
	for i := range list {
		c := &list[i]
		_, err := os.Stat(w.dir(c.Round))
		if err == nil || w.now().Before(w.cfg.Schedule.RoundEnd(c.Round)) {
			return c, nil
		}
		w.log.Warn("a round is skipped: it ended before its work began", "round", c.Round)
		if err := db.Skip(ctx, w.db, term, c.Round, "over before work began"); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (w *Worker) dir(round uint32) string {
	return filepath.Join(w.cfg.Dir, "rounds", strconv.FormatUint(uint64(round), 10))
}

// begin works on a round on a thread of its own, which ends with the work: its
// priority is not given to anything else.
func (w *Worker) begin(ctx context.Context, term lease.Term, c db.Closed) chan error {
	done := make(chan error, 1)
	go func() {
		lowerPriority(w.cfg.Nice)
		done <- w.work(ctx, term, c)
	}()
	return done
}

// work does a round to its end. An error is worth another try.
func (w *Worker) work(ctx context.Context, term lease.Term, c db.Closed) error {
	dir := w.dir(c.Round)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("round %d: %w", c.Round, err)
	}
	files, err := roundstore.Dir(dir)
	if err != nil {
		return fmt.Errorf("round %d: %w", c.Round, err)
	}
	round, err := roundstore.Open(files, roundstore.Config{
		Statement: c.Statement, KeptLayer: w.cfg.KeptLayer, CheckpointEvery: checkpointEvery(w.cfg.Schedule.RoundDuration()),
	})
	if errors.Is(err, roundstore.ErrLost) || errors.Is(err, roundstore.ErrOtherRound) {
		w.log.Error("a round's files are of no use and it is lost; they stay for inspection", "round", c.Round, "dir", dir, "err", err)
		return db.Skip(ctx, w.db, term, c.Round, err.Error())
	}
	if err != nil {
		return fmt.Errorf("round %d: %w", c.Round, err)
	}
	defer func() { _ = round.Close() }()
	w.round.Store(uint64(c.Round))
	defer w.leaves.Store(0)
	end := w.cfg.Schedule.RoundEnd(c.Round)
	w.log.Info("work begins", "round", c.Round, "leaves", round.Leaves(), "until", end)
	if _, ok := round.Proof(); !ok {
		err := round.Work(ctx, func() bool {
			w.leaves.Store(round.Leaves())
			return !w.now().Before(end)
		})
		if err != nil {
			return fmt.Errorf("round %d: %w", c.Round, err)
		}
	}
	return w.publish(ctx, term, c.Round, round)
}

// checkpointEvery is how many leaves a crash may cost: a sixtieth of a round or so,
// and never more than some ten seconds of work.
func checkpointEvery(round time.Duration) uint64 {
	const leavesPerSecond, parts = 100_000, 64
	return min(max(uint64(round.Seconds()*leavesPerSecond/parts), 1<<14), 1<<20)
}

func (w *Worker) publish(ctx context.Context, term lease.Term, number uint32, round *roundstore.Round) error {
	proof, err := round.Prove(ctx, w.cfg.Provers)
	if err != nil {
		return fmt.Errorf("prove round %d: %w", number, err)
	}
	list, err := db.Registrations(ctx, w.db, number)
	if err != nil {
		return err
	}
	record := poet.ProofRecord{Proof: proof, ServicePubkey: w.key, Round: poet.ProofKey(number)}
	for _, member := range poet.CloseRound(list).Members {
		record.Members = append(record.Members, member[:])
	}
	if err := db.SaveProof(ctx, w.db, term, number, &record); err != nil {
		return err
	}
	w.log.Info("round proved", "round", number, "leaves", proof.LeafCount, "members", len(record.Members))
	w.proved()
	if err := round.Discard(); err != nil {
		return fmt.Errorf("round %d: %w", number, err)
	}
	return os.RemoveAll(w.dir(number))
}
