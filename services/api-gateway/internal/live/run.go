package live

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// lookBack is how many events before the start are searched for the ring.
const lookBack = 20_000

// retry is the pause after something was away.
const retry = time.Second

// Run follows the events until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.follow(ctx) })
	group.Go(func() error { return h.listen(ctx) })
	<-ctx.Done()
	h.Shutdown()
	return group.Wait()
}

// readyLimit is how long catching up may keep the service from being ready: the
// last of the old events may be one that this release cannot read.
const readyLimit = 15 * time.Second

func (h *Hub) follow(ctx context.Context) error {
	var span bus.Span
	if !h.persist(ctx, "events are not there yet", func() (err error) {
		span, err = bus.SpanOf(ctx, h.deps.Bus, bus.AllEvents())
		return err
	}) {
		return nil
	}
	from := span.First
	if span.Last > lookBack {
		from = max(from, span.Last-lookBack+1)
	}
	h.ready.Store(span.Last == 0 || from > span.Last)
	late := time.AfterFunc(readyLimit, func() { h.ready.Store(true) })
	defer late.Stop()
	return bus.Follow(ctx, h.deps.Bus, bus.AllEvents(), from, func(ctx context.Context, d bus.Delivery[bus.Event]) error {
		old := d.Sequence <= span.Last
		h.persist(ctx, "an event waits", func() error { return h.Handle(ctx, d, old) })
		h.seen.Store(d.Sequence)
		if d.Sequence >= span.Last {
			h.ready.Store(true)
		}
		return nil
	})
}

// persist repeats f until it succeeds; it is false if ctx ended before.
func (h *Hub) persist(ctx context.Context, what string, f func() error) bool {
	for {
		err := f()
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			h.log.Warn(what, "err", err)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(retry):
		}
	}
}

// listen turns the clock's ticks into events of status.
func (h *Hub) listen(ctx context.Context) error {
	q := bus.Queue{Length: 16, Full: actor.DropOldest}
	sub, err := bus.Listen(ctx, h.deps.Bus, bus.LayerTick(), false, q, func(context.Context, bus.Tick) { h.Emit(Status{}) })
	if err != nil {
		return err
	}
	<-ctx.Done()
	sub.Drain(ctx)
	return nil
}

// Handle tells an event to whom it concerns; of an old one only users are told.
// An error says that something could not be read: try again.
func (h *Hub) Handle(ctx context.Context, d bus.Delivery[bus.Event], old bool) error {
	body, err := events.Decode(d.Message)
	if err != nil {
		h.log.Error("an event is passed over", "sequence", d.Sequence, "err", err)
		return nil
	}
	if body == nil {
		return nil
	}
	told, err := h.deps.Users(ctx, d.Message, body)
	if err != nil {
		return err
	}
	if !old {
		if err := h.tell(ctx, body); err != nil {
			return err
		}
	}
	for _, e := range told {
		h.Emit(User{Sequence: d.Sequence, Event: e})
	}
	return nil
}

// tell reads first and emits then, so that a repeat after an error repeats nothing.
func (h *Hub) tell(ctx context.Context, body events.Body) error {
	switch e := body.(type) {
	case *events.Transactions:
		return h.transactions(ctx, e)
	case *events.LayerExecuted:
		return h.executed(ctx, e.Layer)
	case *events.LayerUpdate:
		h.Emit(Layer{e.Layer, e.Status})
		h.Emit(Status{})
	case *events.ActivationStored:
		return h.activation(ctx, e)
	case *events.MalfeasanceStored:
		return h.malfeasance(ctx, e)
	case *events.Proposal:
		h.Emit(Proposal{e})
	}
	return nil
}

func (h *Hub) transactions(ctx context.Context, e *events.Transactions) error {
	if !h.wanted(KindTransactions, KindAccounts) || len(e.IDs) == 0 {
		return nil
	}
	txs, err := state.TransactionsByID(ctx, h.deps.DB, e.IDs)
	if err != nil {
		return err
	}
	h.Emit(Transactions{txs})
	accounts := Accounts{}
	for i := range txs {
		if txs[i].Header != nil {
			accounts.Addresses = append(accounts.Addresses, txs[i].Header.Principal)
		}
	}
	if len(accounts.Addresses) > 0 {
		h.Emit(accounts)
	}
	return nil
}

func (h *Hub) executed(ctx context.Context, layer wire.LayerID) error {
	var told []Event
	if h.wanted(KindRewards) {
		rewards, err := state.RewardsBetween(ctx, h.deps.DB, layer, layer)
		if err != nil {
			return err
		}
		told = append(told, Rewards{rewards})
	}
	if h.wanted(KindResults) {
		results, err := state.ResultsBetween(ctx, h.deps.DB, layer, layer)
		if err != nil {
			return err
		}
		told = append(told, Results{results})
	}
	if h.wanted(KindAccounts) {
		versions, err := state.AccountVersions(ctx, h.deps.DB, layer, layer)
		if err != nil {
			return err
		}
		accounts := Accounts{make([]wire.Address, len(versions))}
		for i := range versions {
			accounts.Addresses[i] = versions[i].Address
		}
		told = append(told, accounts)
	}
	for _, e := range append(told, Status{}) {
		if e.Items() > 0 {
			h.Emit(e)
		}
	}
	return nil
}

func (h *Hub) activation(ctx context.Context, e *events.ActivationStored) error {
	if !h.wanted(KindActivations) {
		return nil
	}
	atxs, err := activation.DetailsByID(ctx, h.deps.DB, []wire.ATXID{e.ID})
	if err != nil {
		return err
	}
	for i := range atxs {
		h.Emit(Activation{atxs[i]})
	}
	return nil
}

func (h *Hub) malfeasance(ctx context.Context, e *events.MalfeasanceStored) error {
	if !h.wanted(KindMalfeasance) {
		return nil
	}
	proofs, err := activation.ProofsOf(ctx, h.deps.DB, []wire.NodeID{e.Node})
	if err != nil {
		return err
	}
	for i := range proofs {
		h.Emit(Malfeasance{proofs[i].Node, proofs[i].Proof})
	}
	return nil
}
