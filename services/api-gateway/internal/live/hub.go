package live

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store"
)

// ringSize is how many user events a new subscriber is told (spec 09 §8).
const ringSize = 100

// Translate makes what users are told of an event, in order; most kinds make
// nothing.
type Translate func(ctx context.Context, e bus.Event, body events.Body) ([]*pb.Event, error)

// Deps is what a hub uses. Log may be nil.
type Deps struct {
	// DB is read only.
	DB  store.Querier
	Bus *bus.Conn
	// Users translates for AdminService.EventsStream.
	Users Translate
	Log   *slog.Logger
}

// Hub hands events to subscriptions.
type Hub struct {
	deps  Deps
	log   *slog.Logger
	ready atomic.Bool
	seen  atomic.Uint64

	mu   sync.Mutex
	subs [kinds]map[*Subscription]struct{}
	ring []User // at most ringSize
}

// New makes a hub, which tells nothing until Run.
func New(deps Deps) *Hub {
	h := &Hub{deps: deps, log: deps.Log}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	for k := range h.subs {
		h.subs[k] = make(map[*Subscription]struct{})
	}
	return h
}

// Ready is nil once the hub has caught up with the stream.
func (h *Hub) Ready() error {
	if !h.ready.Load() {
		return errors.New("events are being caught up with")
	}
	return nil
}

// Seen is the sequence of the last event that was told.
func (h *Hub) Seen() uint64 { return h.seen.Load() }

// Subscribe begins a subscription of some kinds, each with a buffer of size
// items. match runs while events are handed out and keeps those for which it is
// true; nil keeps all.
func (h *Hub) Subscribe(size int, match func(Event) bool, of ...Kind) *Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.subscribe(size, match, of)
}

// SubscribeUsers begins a subscription of user events, and gives the last ones
// before it.
func (h *Hub) SubscribeUsers() ([]User, *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ring), h.subscribe(BufferUsers, nil, []Kind{KindUsers})
}

func (h *Hub) subscribe(size int, match func(Event) bool, of []Kind) *Subscription {
	s := &Subscription{hub: h, match: match, wake: make(chan struct{}, 1)}
	for _, k := range of {
		s.limit[k] = size
		h.subs[k][s] = struct{}{}
	}
	return s
}

func (h *Hub) remove(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := range h.subs {
		delete(h.subs[k], s)
	}
}

// Emit hands an event to its subscriptions. It never waits for them.
func (h *Hub) Emit(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if u, ok := e.(User); ok {
		if len(h.ring) == ringSize {
			h.ring = append(h.ring[:0], h.ring[1:]...)
		}
		h.ring = append(h.ring, u)
	}
	for s := range h.subs[e.Kind()] {
		s.push(e)
	}
}

// wanted tells whether anybody subscribed one of the kinds.
func (h *Hub) wanted(of ...Kind) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(of, func(k Kind) bool { return len(h.subs[k]) > 0 })
}

// Subscriptions counts those that are open.
func (h *Hub) Subscriptions() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := make(map[*Subscription]struct{})
	for k := range h.subs {
		maps.Copy(open, h.subs[k])
	}
	return len(open)
}
