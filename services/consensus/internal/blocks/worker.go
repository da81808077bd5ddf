package blocks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/engine"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
)

// Deps is what a worker works with.
type Deps struct {
	DB        *store.DB
	Bus       *bus.Conn
	Engine    *engine.Engine
	Keys      hare.Keys
	Proposals *hare.Proposals
	Charges   *hare.Charges
	Log       *slog.Logger
	// Listening tells whether the node listens to gossip.
	Listening func() bool
	// Metrics may be nil.
	Metrics *Metrics
}

// Limits of what waits and of how long.
const (
	// queueLength is above the number of layers that two hares decide at a time.
	queueLength = 64
	// maxWaiting bounds the layers that wait for the one below.
	maxWaiting = 100
	// pollEvery is how often waiting layers are looked at (spec 06 §10.1).
	pollEvery = 500 * time.Millisecond
	// stepTimeout bounds one layer's execution.
	stepTimeout = time.Minute
	// fetchTimeout bounds the wait for proposals that peers have.
	fetchTimeout = 20 * time.Second
)

// output is what hare agreed on.
type output struct {
	layer     wire.LayerID
	proposals []wire.ProposalID
}

// waiting is a plan that waits for the state, with what it is made of.
type waiting struct {
	plan  *block.Plan
	parts []hare.Accepted
	// begun is set once the state may have executed it.
	begun bool
}

// Worker makes blocks. Use New.
type Worker struct {
	deps   Deps
	params network.Params

	queue   chan output
	certify chan engine.Uncertified
	poke    chan struct{}
	// waiting belongs to Run's goroutine.
	waiting map[wire.LayerID]waiting
}

// New makes a worker.
func New(params network.Params, deps Deps) *Worker {
	return &Worker{
		deps: deps, params: params,
		queue: make(chan output, queueLength), certify: make(chan engine.Uncertified, queueLength),
		poke: make(chan struct{}, 1), waiting: make(map[wire.LayerID]waiting),
	}
}

// Put takes hare's output of a layer; it does not wait (hare.Results).
func (w *Worker) Put(layer wire.LayerID, proposals []wire.ProposalID) {
	select {
	case w.queue <- output{layer, proposals}:
	default:
		w.deps.Log.Error("hare's output is lost: too many layers wait for their blocks", "layer", layer)
		w.deps.Charges.Release(layer)
	}
}

// Poke makes the worker look at waiting layers before the next poll.
func (w *Worker) Poke() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// Run works until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	certifying := make(chan struct{})
	go func() {
		defer close(certifying)
		w.certifyAll(ctx)
	}()
	defer func() { <-certifying }()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case out := <-w.queue:
			if err := w.take(ctx, out); err != nil && ctx.Err() == nil {
				w.deps.Log.Warn("no block was made of hare's output", "layer", out.layer, "err", err)
			}
		case <-poll.C:
		case <-w.poke:
		}
		if err := w.executeWaiting(ctx); err != nil && ctx.Err() == nil {
			w.deps.Log.Warn("layers wait for their execution", "err", err)
		}
	}
}

// take plans a layer's block and, unless it is to be executed first, adopts it. In
// any case but that one the layer is released.
func (w *Worker) take(ctx context.Context, out output) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	var plan *block.Plan
	var parts []hare.Accepted
	if len(out.proposals) > 0 {
		var err error
		if plan, parts, err = w.plan(ctx, out); err != nil {
			w.deps.Charges.Release(out.layer)
			w.deps.Metrics.made(asNoOutput)
			return err
		}
		if plan.Optimistic {
			w.wait(waiting{plan: plan, parts: parts})
			return nil
		}
	}
	defer w.deps.Charges.Release(out.layer)
	var made *wire.Block
	how := asEmpty
	if plan != nil {
		made, how = plan.Block(), asBlock
	}
	id, err := w.deps.Engine.AdoptOutput(ctx, out.layer, made, w.included(parts))
	if err != nil {
		w.deps.Metrics.made(asNoOutput)
		return err
	}
	w.deps.Metrics.made(how)
	return w.finish(ctx, out.layer, id, parts)
}

// finish has a layer's output certified, and the layer processed.
func (w *Worker) finish(ctx context.Context, layer wire.LayerID, id wire.BlockID, parts []hare.Accepted) error {
	w.deps.Log.Info("block", "layer", layer, "block", id, "proposals", len(parts))
	select {
	case w.certify <- engine.Uncertified{Layer: layer, Block: id}:
	default:
		w.deps.Log.Warn("a layer is not certified: too many wait", "layer", layer)
	}
	if _, err := w.deps.Engine.Process(ctx, layer); err != nil {
		return fmt.Errorf("process layer %d: %w", layer, err)
	}
	return nil
}

// plan gathers a layer's proposals and transactions and plans its block.
func (w *Worker) plan(ctx context.Context, out output) (*block.Plan, []hare.Accepted, error) {
	parts, err := w.gather(ctx, out)
	if err != nil {
		return nil, nil, err
	}
	candidates, err := w.candidates(ctx, out.layer, parts)
	if err != nil {
		return nil, nil, err
	}
	txs, err := w.transactions(ctx, candidates)
	if err != nil {
		return nil, nil, err
	}
	prev, err := w.deps.Engine.AggregatedHash(ctx, out.layer-1)
	if err != nil {
		return nil, nil, err
	}
	plan, err := block.Generate(block.Params{
		GasLimit: w.params.BlockGasLimit, Threshold: w.params.OptimisticFilteringThreshold,
	}, out.layer, candidates, prev, func(id wire.TransactionID) (mempool.BlockTx, bool) {
		tx, ok := txs[id]
		return tx, ok
	})
	return plan, parts, err
}

// gather takes the proposals from the store, and has peers asked for the rest.
func (w *Worker) gather(ctx context.Context, out output) ([]hare.Accepted, error) {
	parts, missing := w.deps.Proposals.Take(out.layer, out.proposals)
	if len(missing) == 0 {
		return parts, nil
	}
	request := bus.FetchRequest{}
	for _, id := range missing {
		request.Hashes = append(request.Hashes, wire.Pad32(id))
	}
	fetching, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	_, failure := bus.Fetch(bus.KindProposal).Call(fetching, w.deps.Bus, request)
	if parts, missing = w.deps.Proposals.Take(out.layer, out.proposals); len(missing) > 0 {
		return nil, errors.Join(fmt.Errorf("%d proposals are not here, first %s", len(missing), missing[0]), failure)
	}
	return parts, nil
}

// candidates puts what the index knows of the activations beside the proposals.
func (w *Worker) candidates(ctx context.Context, layer wire.LayerID, parts []hare.Accepted) ([]block.Candidate, error) {
	epoch, followed := w.params.Epoch(layer), false
	out := make([]block.Candidate, 0, len(parts))
	for _, part := range parts {
		p := part.Proposal
		entry, ok := w.deps.Engine.ATX(epoch, p.AtxID)
		if !ok && !followed {
			if err := w.deps.Engine.Follow(ctx); err != nil {
				return nil, err
			}
			followed = true
			entry, ok = w.deps.Engine.ATX(epoch, p.AtxID)
		}
		if !ok {
			return nil, fmt.Errorf("activation %s is not indexed for epoch %d", p.AtxID, epoch)
		}
		out = append(out, block.Candidate{
			ID: p.ID(), ATX: p.AtxID, Weight: entry.Weight, BaseHeight: entry.BaseHeight,
			Slots: part.Slots, Proofs: len(p.EligibilityProofs), MeshHash: p.MeshHash, Txs: p.TxIDs,
		})
	}
	return out, nil
}

// transactions reads those with a header.
func (w *Worker) transactions(ctx context.Context, candidates []block.Candidate) (map[wire.TransactionID]mempool.BlockTx, error) {
	known := make(map[wire.TransactionID]mempool.BlockTx)
	var ids []wire.TransactionID
	for i := range candidates {
		for _, id := range candidates[i].Txs {
			if _, seen := known[id]; !seen {
				known[id] = mempool.BlockTx{}
				ids = append(ids, id)
			}
		}
	}
	clear(known)
	if len(ids) == 0 {
		return known, nil
	}
	rows, err := state.TransactionsByID(ctx, w.deps.DB, ids)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if r := &rows[i]; r.Header != nil {
			known[r.ID] = mempool.BlockTx{Tx: mempool.Tx{ID: r.ID, Header: *r.Header, Received: r.Received}, Applied: r.Result != nil}
		}
	}
	return known, nil
}
