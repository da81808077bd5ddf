package live

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/consensus"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Config says what to watch.
type Config struct {
	DB      *store.DB
	Bus     *bus.Conn
	Network *network.Params
	// Coinbase, and how it is written.
	Coinbase     wire.Address
	CoinbaseText string
	Now          func() time.Time
}

// Watcher keeps up with a network.
type Watcher struct {
	cfg   Config
	clock layerclock.Clock

	mu   sync.Mutex
	init map[wire.NodeID]progress
	// news has room for one: something happened.
	news chan struct{}
}

// progress of an initialisation since it was first heard of.
type progress struct {
	labels, total, first uint64
	began, at            time.Time
}

// NewWatcher makes a watcher; Follow and Look may run at the same time.
func NewWatcher(cfg Config) *Watcher {
	return &Watcher{
		cfg:   cfg,
		clock: layerclock.Clock{Genesis: cfg.Network.Genesis.Time, LayerDuration: cfg.Network.LayerDuration},
		init:  make(map[wire.NodeID]progress), news: make(chan struct{}, 1),
	}
}

// News has something to receive when an event came since.
func (w *Watcher) News() <-chan struct{} { return w.news }

// Follow reads the stream of events from now on, until ctx ends.
func (w *Watcher) Follow(ctx context.Context) error {
	span, err := bus.SpanOf(ctx, w.cfg.Bus, bus.AllEvents())
	if err != nil {
		return err
	}
	return bus.Follow(ctx, w.cfg.Bus, bus.AllEvents(), span.Last+1, func(_ context.Context, d bus.Delivery[bus.Event]) error {
		w.hear(d.Message)
		return nil
	})
}

func (w *Watcher) hear(e bus.Event) {
	// What cannot be read is of another release, and only a hint.
	if body, err := events.Decode(e); err == nil {
		switch b := body.(type) {
		case *events.InitProgress:
			w.progress(b.Node, b.Labels, b.Total, e.At)
		case *events.InitComplete:
			w.mu.Lock()
			delete(w.init, b.Node)
			w.mu.Unlock()
		}
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *Watcher) progress(node wire.NodeID, labels, total uint64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.init[node]
	if !ok || labels < p.labels {
		p = progress{first: labels, began: at}
	}
	p.labels, p.total, p.at = labels, total, at
	w.init[node] = p
}

func (p progress) rate() float64 {
	if took := p.at.Sub(p.began); took > 0 {
		return float64(p.labels-p.first) / took.Seconds()
	}
	return 0
}

// lookBack is how many layers before the present one are looked at.
const lookBack = 8

// Look reads how everything is. A database that is away becomes the state's
// problem.
func (w *Watcher) Look(ctx context.Context) *State {
	s := &State{
		Now: w.cfg.Now(), Clock: w.clock, LayersPerEpoch: w.cfg.Network.LayersPerEpoch, Coinbase: w.cfg.CoinbaseText,
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := w.look(ctx, s); err != nil {
		s.Problem = fmt.Sprintf("the database does not answer: %v", err)
	}
	return s
}

func (w *Watcher) look(ctx context.Context, s *State) error {
	steps, err := activation.Steps(ctx, w.cfg.DB)
	if err != nil {
		return err
	}
	w.mu.Lock()
	init := maps.Clone(w.init)
	w.mu.Unlock()
	for _, step := range steps {
		p := init[step.Node]
		s.Identities = append(s.Identities, Identity{IdentityStep: step, Labels: p.labels, Total: p.total, Rate: p.rate()})
	}
	if err := w.lookAtLayers(ctx, s); err != nil {
		return err
	}
	accounts, err := state.AccountsAt(ctx, w.cfg.DB, []wire.Address{w.cfg.Coinbase}, state.Latest)
	if err == nil && len(accounts) == 1 {
		s.Balance = accounts[0].Balance
	}
	return err
}

func (w *Watcher) lookAtLayers(ctx context.Context, s *State) error {
	now, started := s.layer()
	if !started {
		return nil
	}
	from := now - min(now, lookBack)
	summaries, err := consensus.Summaries(ctx, w.cfg.DB, from, now)
	if err != nil {
		return err
	}
	applied, err := state.AppliedBetween(ctx, w.cfg.DB, from, now)
	if err != nil {
		return err
	}
	byLayer := make(map[wire.LayerID]state.Applied)
	for _, a := range applied {
		byLayer[a.Layer] = a
	}
	for _, l := range summaries {
		a, ok := byLayer[l.Layer]
		if l.Decided || ok {
			s.Layers = append(s.Layers, Layer{
				ID: l.Layer, Ballots: l.Ballots, Decided: l.Decided, Output: l.Output, Certified: l.Certified,
				Applied: ok, Block: a.Block, StateRoot: a.Root,
			})
		}
	}
	return nil
}
