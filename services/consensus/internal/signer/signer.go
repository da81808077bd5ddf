package signer

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Signer asks the holders of identities. It is safe for concurrent use.
type Signer struct {
	db  *store.DB
	bus *bus.Conn
	log *slog.Logger

	mu      sync.RWMutex
	holders map[wire.NodeID]string
}

// New makes a signer that knows nobody yet.
func New(db *store.DB, conn *bus.Conn, log *slog.Logger) *Signer {
	return &Signer{db: db, bus: conn, log: log, holders: make(map[wire.NodeID]string)}
}

// Refresh reads who holds what. It is to be called at the start of each layer, and
// after an item came back as not ours.
func (s *Signer) Refresh(ctx context.Context) error {
	rows, err := activation.Holders(ctx, s.db)
	if err != nil {
		return err
	}
	holders := make(map[wire.NodeID]string, len(rows))
	for _, r := range rows {
		holders[r.Node] = r.Holder
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders = holders
	return nil
}

// Identities are those that somebody holds, ascending.
func (s *Signer) Identities() []wire.NodeID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]wire.NodeID, 0, len(s.holders))
	for id := range s.holders {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b wire.NodeID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// Sign asks for signatures; the results stand at the indices of their items.
func (s *Signer) Sign(ctx context.Context, items []bus.SignItem) []bus.SignResult {
	results := make([]bus.SignResult, len(items))
	s.each(store.Column(items, func(i *bus.SignItem) wire.NodeID { return i.NodeID }), func(holder string, at []int) {
		reply, err := bus.Sign(holder).Call(ctx, s.bus, bus.SignRequest{Items: pick(items, at)})
		if err != nil && errors.Is(ctx.Err(), context.Canceled) {
			return // nobody waits any more
		}
		if err != nil || len(reply.Results) != len(at) {
			s.log.Warn("no signatures", "holder", holder, "items", len(at), "err", err)
			return
		}
		for i, index := range at {
			results[index] = reply.Results[i]
		}
	}, func(i int) { results[i].Outcome = bus.SignNotOurs })
	return results
}

// Prove asks for VRF proofs; the results stand at the indices of their items.
func (s *Signer) Prove(ctx context.Context, items []bus.VRFItem) []bus.VRFResult {
	results := make([]bus.VRFResult, len(items))
	s.each(store.Column(items, func(i *bus.VRFItem) wire.NodeID { return i.NodeID }), func(holder string, at []int) {
		reply, err := bus.ProveVRF(holder).Call(ctx, s.bus, bus.VRFRequest{Items: pick(items, at)})
		if err != nil && errors.Is(ctx.Err(), context.Canceled) {
			return // nobody waits any more
		}
		if err != nil || len(reply.Results) != len(at) {
			s.log.Warn("no proofs", "holder", holder, "items", len(at), "err", err)
			return
		}
		for i, index := range at {
			results[index] = reply.Results[i]
		}
	}, func(i int) { results[i].Outcome = bus.SignNotOurs })
	return results
}

// each calls ask for all holders at once, with the indices of their items.
func (s *Signer) each(nodes []wire.NodeID, ask func(holder string, at []int), nobody func(i int)) {
	by := make(map[string][]int)
	s.mu.RLock()
	for i, id := range nodes {
		if holder, ok := s.holders[id]; ok {
			by[holder] = append(by[holder], i)
		} else {
			nobody(i)
		}
	}
	s.mu.RUnlock()
	var group sync.WaitGroup
	for holder, at := range by {
		group.Go(func() { ask(holder, at) })
	}
	group.Wait()
}

func pick[T any](items []T, at []int) []T {
	if len(at) == len(items) {
		return items
	}
	out := make([]T, len(at))
	for i, index := range at {
		out[i] = items[index]
	}
	return out
}
