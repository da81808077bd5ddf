package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/vm/executor"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// Errors that say why a layer is not applied or reverted. The executor's Missing
// is one more.
var (
	// ErrBlock: the block is not stored.
	ErrBlock = errors.New("block is not stored")
	// ErrBlockLayer: the block belongs to another layer than it was named for.
	ErrBlockLayer = errors.New("block of another layer")
	// ErrOther: the layer is applied with another block.
	ErrOther = errors.New("layer is applied with another block")
	// ErrGap: a layer before it is not applied.
	ErrGap = errors.New("layer is not the next one")
	// ErrGenesis: layers up to the effective genesis cannot be reverted.
	ErrGenesis = errors.New("before the effective genesis")
)

// Config of a ledger.
type Config struct {
	Machine        *vm.Machine
	LayersPerEpoch uint32
	// Accounts bounds the cache.
	Accounts int
	// Cores is how many check signatures; 0 is all.
	Cores int
}

// Hooks are told what the ledger is about to do and has done. They run under the
// ledger's lock.
type Hooks interface {
	// Applying is called before the layer is written, and may refuse it. It
	// returns transactions whose headers are to be stored with it, and what to
	// call once it is written, or could not be.
	Applying(ctx context.Context, a Application) ([]db.Header, func(committed bool), error)
	// Changed is called after a revert, and when it is unknown what happened.
	Changed(ctx context.Context, tip wire.LayerID) error
}

// Application is a layer that is about to be written.
type Application struct {
	// Last is the layer before it.
	Last wire.LayerID
	// Empty says that the layer has no block.
	Empty   bool
	Effects *vm.Effects
	// Txs of the block, in its order.
	Txs []Judged
	// After reads accounts as they are after the layer.
	After func(ctx context.Context, addresses []wire.Address) ([]wire.Account, error)
}

// Judged is a transaction of a block.
type Judged struct {
	ID wire.TransactionID
	// HadHeader says that it was stored with a header before the layer.
	HadHeader bool
}

// Fence is checked in the writing transaction: it fails if another process may
// have taken over.
type Fence func(ctx context.Context, tx pgx.Tx) error

// Ledger is the state. Its methods may be called from anywhere.
type Ledger struct {
	db             *store.DB
	log            *slog.Logger
	machine        *vm.Machine
	executor       *executor.Executor
	layersPerEpoch uint32
	cores          int
	cache          *cache
	hooks          Hooks
	fence          Fence
	events         func(id string, body events.Body) (bus.Outgoing, error)
	observe        func(phase string, took time.Duration)

	one chan struct{} // holds one token: who has it may change the state
	tip atomic.Pointer[db.Layer]
}

// Deps is what a ledger uses.
type Deps struct {
	DB     *store.DB
	Log    *slog.Logger
	Hooks  Hooks
	Fence  Fence
	Events func(id string, body events.Body) (bus.Outgoing, error)
	// Observe is told how long each phase of a layer took.
	Observe func(phase string, took time.Duration)
}

// New returns a ledger that has read nothing yet: Open does.
func New(cfg Config, deps Deps) *Ledger {
	l := &Ledger{
		db: deps.DB, log: deps.Log, machine: cfg.Machine,
		executor:       executor.New(cfg.Machine, cfg.LayersPerEpoch),
		layersPerEpoch: cfg.LayersPerEpoch,
		cores:          cfg.Cores,
		cache:          newCache(cfg.Accounts),
		hooks:          deps.Hooks, fence: deps.Fence, events: deps.Events, observe: deps.Observe,
		one: make(chan struct{}, 1),
	}
	if l.cores <= 0 {
		l.cores = runtime.GOMAXPROCS(0)
	}
	return l
}

// Machine judges transactions.
func (l *Ledger) Machine() *vm.Machine { return l.machine }

// Tip is the highest applied layer that this process knows of.
func (l *Ledger) Tip() db.Layer {
	if t := l.tip.Load(); t != nil {
		return *t
	}
	return db.Layer{}
}

// CacheStats are the size of the cache, and how often it had what was asked for.
func (l *Ledger) CacheStats() (accounts int, hits, misses uint64) { return l.cache.stats() }

// Open reads the tip and forgets what was known of accounts.
func (l *Ledger) Open(ctx context.Context) error {
	if err := l.acquire(ctx); err != nil {
		return err
	}
	defer l.release()
	return l.reopen(ctx)
}

// reopen is called when what this process knows may not be what the rows say.
func (l *Ledger) reopen(ctx context.Context) error {
	l.cache.forget()
	tip, err := db.Tip(ctx, l.db)
	if err != nil {
		l.tip.Store(nil)
		return err
	}
	l.tip.Store(&tip)
	return l.hooks.Changed(ctx, tip.ID)
}

// known is the tip to work on. If the rows say another than this process
// remembers, because another process served meanwhile, all is read again.
func (l *Ledger) known(ctx context.Context) (db.Layer, error) {
	remembered := l.tip.Load()
	tip, err := db.Tip(ctx, l.db)
	if err != nil {
		return db.Layer{}, err
	}
	if remembered == nil || remembered.Seq != tip.Seq {
		if err := l.reopen(ctx); err != nil {
			return db.Layer{}, err
		}
	}
	return *l.tip.Load(), nil
}

func (l *Ledger) acquire(ctx context.Context) error {
	select {
	case l.one <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Ledger) release() { <-l.one }

// errMoved says that the tip is not what the layer was computed on.
var errMoved = errors.New("another process changed the state")

// attempts is how often a change is tried when the tip moves under it.
const attempts = 3

// change runs f until the tip that it builds on is the one in the database.
func (l *Ledger) change(ctx context.Context, f func(tip db.Layer) (db.Layer, error)) (db.Layer, error) {
	if err := l.acquire(ctx); err != nil {
		return db.Layer{}, err
	}
	defer l.release()
	var err error
	for range attempts {
		var tip, done db.Layer
		if tip, err = l.known(ctx); err != nil {
			return db.Layer{}, err
		}
		if done, err = f(tip); err == nil {
			return done, nil
		}
		if !errors.Is(err, errMoved) && !errors.Is(err, store.ErrCommitUnknown) && !store.Retryable(err) {
			return db.Layer{}, err
		}
		l.log.Warn("state is read again", "err", err)
		l.tip.Store(nil) // the next round reads it
	}
	return db.Layer{}, err
}

// write runs f in a transaction that holds the lock of layers and stands on tip.
func (l *Ledger) write(ctx context.Context, tip db.Layer, f func(tx pgx.Tx) error) error {
	return store.InTx(ctx, l.db, func(tx pgx.Tx) error {
		if err := db.LockLayersTx(ctx, tx); err != nil {
			return err
		}
		if err := l.fence(ctx, tx); err != nil {
			return err
		}
		current, err := db.Tip(ctx, tx)
		if err != nil {
			return err
		}
		if current.Seq != tip.Seq {
			return fmt.Errorf("%w: layer %v is its tip", errMoved, current.ID)
		}
		return f(tx)
	})
}
