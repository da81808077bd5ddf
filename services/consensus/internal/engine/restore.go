package engine

import (
	"context"
	"fmt"
	"iter"

	"github.com/smeshery/smeshery/pkg/beacon"
	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/mesh"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/tortoise"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// restore rebuilds everything from the database.
func (e *Engine) restore(ctx context.Context) error {
	r, err := e.rebuild(ctx)
	if err != nil {
		return err
	}
	if err := e.openBeacons(r.beacons); err != nil {
		return err
	}
	e.oracle = e.newOracle()
	e.certifier = block.NewCertifier(e.certifierParams(), certifyJudge{e})
	if err := e.adoptInterrupted(ctx); err != nil {
		return err
	}
	if err := e.reportAgain(ctx, r); err != nil {
		return err
	}
	return e.accuseAgain(ctx, r)
}

// rebuild makes the tortoise and the mesh again.
func (e *Engine) rebuild(ctx context.Context) (*past, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	malicious, err := e.skipTo(ctx)
	if err != nil {
		return nil, err
	}
	r, err := e.readPast(ctx)
	if err != nil {
		return nil, err
	}
	r.malicious = malicious
	e.tortoise, err = tortoise.Restore(tortoise.ParamsOf(&e.params, e.genesis), tortoiseIndex{e.index}, r)
	if err != nil {
		return nil, fmt.Errorf("tortoise: %w", err)
	}
	e.mesh = mesh.Restore(r.processed, r.applied, r.lastBallot)
	e.processed.Store(uint32(r.processed))
	e.seen = r.lastBallot
	return r, nil
}

// reportAgain gives the beacon the word of stored ballots of the newest epoch,
// if they were too few to make a beacon yet: the tally is in memory only.
func (e *Engine) reportAgain(ctx context.Context, r *past) error {
	epoch := e.params.Epoch(r.lastBallot)
	if _, known := r.beacons[epoch]; known {
		return nil
	}
	for layer := e.params.FirstLayer(epoch); layer <= r.lastBallot; layer++ {
		ballots, err := db.BallotsIn(ctx, e.deps.DB, layer)
		if err != nil {
			return err
		}
		for _, b := range ballots {
			if err := e.reportStored(ctx, epoch, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) reportStored(ctx context.Context, epoch wire.EpochID, b *wire.Ballot) error {
	id := b.ID()
	e.mu.RLock()
	ref, ok := e.tortoise.Reference(id)
	atx, indexed := e.index.Get(epoch, b.AtxID)
	e.mu.RUnlock()
	if !ok || !indexed || ref.Slots == 0 {
		return nil
	}
	err := e.beacons.Report(ctx, epoch, beacon.BallotReport{
		Ballot: id, Beacon: ref.Beacon, Proofs: uint32(len(b.EligibilityProofs)),
		Per: beacon.EligibilityWeight(atx.Weight, ref.Slots),
	})
	if err != nil {
		return fmt.Errorf("report ballot %s: %w", id, err)
	}
	return nil
}

// accuseAgain tells activation of equivocations that it does not know: those
// that were stored right before a crash.
func (e *Engine) accuseAgain(ctx context.Context, r *past) error {
	from := wire.LayerID(0)
	if back := wire.LayerID(2 * e.params.LayersPerEpoch); r.lastBallot > back {
		from = r.lastBallot - back
	}
	rows, err := db.Equivocations(ctx, e.deps.DB, from)
	if err != nil {
		return err
	}
	for i := 1; i < len(rows); i++ {
		if slotOf(&rows[i]) == slotOf(&rows[i-1]) && !e.index.Malicious(rows[i].Node) {
			e.accuse(ctx, equivocation(&rows[i-1], &rows[i]))
		}
	}
	return nil
}

// past is what the database says (tortoise.Reader). Ballots are read a layer at
// a time.
type past struct {
	engine *Engine
	ctx    context.Context // of Open, which the reader does not outlive
	err    error

	now, lastBallot, processed, applied, lastValid wire.LayerID
	layers                                         map[wire.LayerID]db.Layer
	valid                                          map[wire.BlockID]bool
	beacons                                        map[wire.EpochID]wire.Beacon
	malicious                                      []wire.NodeID
}

func (e *Engine) readPast(ctx context.Context) (*past, error) {
	r := &past{
		engine: e, ctx: ctx, now: e.current(), processed: e.genesis, applied: e.genesis,
		layers: make(map[wire.LayerID]db.Layer), valid: make(map[wire.BlockID]bool),
	}
	var err error
	if r.lastBallot, err = db.LastBallotLayer(ctx, e.deps.DB); err != nil {
		return nil, err
	}
	r.lastBallot = max(r.lastBallot, e.genesis)
	if r.beacons, err = db.Beacons(ctx, e.deps.DB); err != nil {
		return nil, err
	}
	if last, ok, err := state.LastApplied(ctx, e.deps.DB); err != nil {
		return nil, err
	} else if ok {
		r.applied = last
	}
	if err := r.readLayers(); err != nil {
		return nil, err
	}
	return r, nil
}

// readLayers reads layer rows and validity, and finds the markers.
func (r *past) readLayers() error {
	rows, err := db.LayersFrom(r.ctx, r.engine.deps.DB, r.engine.genesis)
	if err != nil {
		return err
	}
	for _, row := range rows {
		r.layers[row.Layer] = row
	}
	for r.layers[r.processed+1].Processed {
		r.processed++
	}
	verdicts, err := db.ValidityFrom(r.ctx, r.engine.deps.DB, r.engine.genesis)
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		if r.valid[v.Block] = v.Valid; v.Valid {
			r.lastValid = max(r.lastValid, v.Layer)
		}
	}
	return nil
}

// Snapshot is tortoise.Reader: the state is rebuilt from objects.
func (r *past) Snapshot() []byte { return nil }

// Inputs is tortoise.Reader.
func (r *past) Inputs() iter.Seq[tortoise.Input] { return func(func(tortoise.Input) bool) {} }

// Now is tortoise.Reader. Layers that were not processed are tallied when they are.
func (r *past) Now() wire.LayerID { return min(r.now, r.processed) }

// LastBallot is tortoise.Reader.
func (r *past) LastBallot() wire.LayerID { return r.lastBallot }

// LastApplied is tortoise.Reader.
func (r *past) LastApplied() wire.LayerID { return r.applied }

// LastValid is tortoise.Reader.
func (r *past) LastValid() wire.LayerID { return r.lastValid }

// LastTarget is tortoise.Reader.
func (r *past) LastTarget() (last wire.EpochID) {
	// An epoch without ATXs ends the search: nobody could publish later.
	for last = r.engine.params.Epoch(r.lastBallot); r.engine.index.Len(last+1) > 0; {
		last++
	}
	return last
}

// Malicious is tortoise.Reader.
func (r *past) Malicious() []wire.NodeID { return r.malicious }

// ATXs is tortoise.Reader.
func (r *past) ATXs(target wire.EpochID) iter.Seq[tortoise.ATX] {
	return func(yield func(tortoise.ATX) bool) {
		for entry := range r.engine.index.All(target) {
			if !yield(countedATX(&entry)) {
				return
			}
		}
	}
}

// Beacon is tortoise.Reader.
func (r *past) Beacon(epoch wire.EpochID) (wire.Beacon, bool) {
	b, ok := r.beacons[epoch]
	return b, ok
}

// Opinion is tortoise.Reader.
func (r *past) Opinion(layer wire.LayerID) (wire.Hash32, bool) {
	if hash := r.layers[layer].Hash; hash != nil {
		return *hash, true
	}
	if layer == r.engine.genesis {
		return wire.HashATXList(nil), true
	}
	return wire.Hash32{}, false
}

// Blocks is tortoise.Reader.
func (r *past) Blocks(layer wire.LayerID) (out []tortoise.RecoveredBlock) {
	rows, err := state.BlocksBetween(r.ctx, r.engine.deps.DB, layer, layer)
	r.fail(err)
	for i := range rows {
		out = append(out, tortoise.RecoveredBlock{Header: rows[i].Vote(), Valid: r.valid[rows[i].ID]})
	}
	return out
}

// HareOutput is tortoise.Reader.
func (r *past) HareOutput(layer wire.LayerID) (wire.BlockID, bool) {
	rows, err := db.Certificates(r.ctx, r.engine.deps.DB, layer)
	r.fail(err)
	output, ok := block.Output(rows)
	if ok {
		r.engine.outputs[layer] = true
	}
	return output, ok
}

// Ballots is tortoise.Reader.
func (r *past) Ballots(layer wire.LayerID) (out []tortoise.Ballot) {
	ballots, err := db.BallotsIn(r.ctx, r.engine.deps.DB, layer)
	r.fail(err)
	for _, b := range ballots {
		out = append(out, tortoise.BallotOf(b))
	}
	return out
}

// Coin is tortoise.Reader.
func (r *past) Coin(layer wire.LayerID) (coin, known bool) {
	if c := r.layers[layer].Coin; c != nil {
		return *c, true
	}
	return false, false
}

// Err is tortoise.Reader.
func (r *past) Err() error { return r.err }

func (r *past) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
