package hare

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/eligibility"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
)

// ahead makes a layer's proofs and counts their seats before their rounds come:
// both depend on beacon, layer and round alone. It begins while the layer before
// is idle, and keeps one iteration ahead of the session.
type ahead struct {
	version    *version
	layer      wire.LayerID
	beacon     wire.Beacon
	identities []wire.NodeID
	stop       context.CancelFunc

	// begun is closed once seats may be counted.
	begun chan struct{}
	// reach is the last iteration to prepare; more tells that it grew.
	reach atomic.Uint32
	more  chan struct{}
	// at is the absolute number of the speaking round that the session waits for.
	at atomic.Uint32

	// What follows belongs to the driver's goroutine.
	open    bool // begun is closed
	decided bool // the session ends with its iteration
	ready   map[wire.IterRound]*prepared
	wanted  map[wire.IterRound]bool
}

// prepared is what is known of a round's speakers.
type prepared struct {
	seats []protocol.Seated
	// unsure are proofs whose seats nobody could tell, missing the identities
	// without a proof. Both are asked for again when the round wants its seats.
	unsure  []protocol.Proof
	missing []wire.NodeID
}

// complete tells whether there is nothing to ask for again.
func (p *prepared) complete() bool { return len(p.unsure) == 0 && len(p.missing) == 0 }

const (
	// proveChunk is how many proofs are asked for at once: enough for all cores,
	// and few enough that others get their turn at activation.
	proveChunk = 128
	// proofChunks is how many of them may wait to be counted.
	proofChunks = 8
)

// prepare starts the work for a layer, instead of what there was.
func (d *Driver) prepare(v *version, layer wire.LayerID, beacon wire.Beacon, identities []wire.NodeID) *ahead {
	v.forget(layer)
	ctx, stop := context.WithCancel(d.ctx)
	a := &ahead{
		version: v, layer: layer, beacon: beacon, identities: slices.Clone(identities), stop: stop,
		begun: make(chan struct{}), more: make(chan struct{}, 1),
		ready: make(map[wire.IterRound]*prepared), wanted: make(map[wire.IterRound]bool),
	}
	a.reach.Store(1)
	v.ahead[layer] = a
	chunks := make(chan chunk, proofChunks)
	d.tasks.Go(func() {
		defer close(chunks)
		d.proveAhead(ctx, a, chunks)
	})
	d.tasks.Go(func() { d.countAhead(ctx, a, chunks) })
	return a
}

// forget ends the work for a layer.
func (v *version) forget(layer wire.LayerID) {
	if a := v.ahead[layer]; a != nil {
		a.stop()
		delete(v.ahead, layer)
	}
}

// prepareNext begins with the layer after one that is over, if it is to come.
func (d *Driver) prepareNext(over wire.LayerID) {
	layer := over + 1
	if !d.deps.Now().Before(d.layers.Start(layer)) {
		return
	}
	beacon, ok := d.deps.Node.BeaconOf(d.epoch(layer))
	identities := d.deps.Keys.Identities()
	if !ok || wire.IsZero(beacon) || len(identities) == 0 {
		return
	}
	for _, v := range d.versions {
		if v.core.Params().Runs(layer) && v.ahead[layer] == nil {
			a := d.prepare(v, layer, beacon, identities)
			if d.sameActiveSet(over, layer) {
				a.begin()
			}
		}
	}
}

// sameActiveSet tells whether one active set decides in both layers. The later one
// may not be complete before its layer begins.
func (d *Driver) sameActiveSet(a, b wire.LayerID) bool {
	one, err := d.seats.TargetEpoch(a)
	other, e := d.seats.TargetEpoch(b)
	return err == nil && e == nil && one == other
}

// begin lets seats be counted.
func (a *ahead) begin() {
	if !a.open {
		a.open = true
		close(a.begun)
	}
}

// extend lets the work go on, up to an iteration.
func (a *ahead) extend(iteration uint32) {
	if iteration > a.reach.Load() {
		a.reach.Store(iteration)
		select {
		case a.more <- struct{}{}:
		default:
		}
	}
}

// prove answers a session's wish for the speakers of its coming round.
func (d *Driver) prove(v *version, e protocol.Prove) {
	a := v.ahead[e.Layer]
	if a == nil || a.beacon != e.Beacon || !slices.Equal(a.identities, e.Identities) {
		a = d.prepare(v, e.Layer, e.Beacon, e.Identities)
	}
	a.begin()
	a.at.Store(e.At.Absolute())
	if !a.decided {
		a.extend(uint32(e.At.Iter) + 1)
	}
	if p := a.ready[e.At]; p != nil {
		delete(a.ready, e.At)
		d.seat(a, e.At, p)
	} else {
		a.wanted[e.At] = true
	}
}

// counted takes a prepared round.
func (d *Driver) counted(a *ahead, at wire.IterRound, p *prepared) {
	switch {
	case a.version.ahead[a.layer] != a:
	case a.wanted[at]:
		delete(a.wanted, at)
		d.seat(a, at, p)
	default:
		a.ready[at] = p
	}
}

// seat gives a round's speakers to the session, once more after asking for those
// that could not be told.
func (d *Driver) seat(a *ahead, at wire.IterRound, p *prepared) {
	if p.complete() {
		d.do(a.version, a.version.core.Seats(a.layer, at, p.seats))
		return
	}
	d.spawn(func(ctx context.Context) {
		proofs, _ := d.proofs(ctx, a, at, p.missing)
		proofs = append(p.unsure, proofs...)
		if len(proofs) > 0 && at == (wire.IterRound{}) {
			d.awaitActiveSet(ctx, a, proofs[0])
		}
		seats := p.seats
		for _, proof := range proofs {
			if seat, err := d.count(a, at, proof); err == nil && seat.Eligibility.Count > 0 {
				seats = append(seats, seat)
			}
		}
		_ = d.post(ctx, func() { d.do(a.version, a.version.core.Seats(a.layer, at, seats)) })
	})
}

// chunk is a part of a round's proofs.
type chunk struct {
	at      wire.IterRound
	proofs  []protocol.Proof
	missing []wire.NodeID
	last    bool
}

// proveAhead asks for proofs in the order of the rounds.
func (d *Driver) proveAhead(ctx context.Context, a *ahead, out chan<- chunk) {
	limit := a.version.core.Params().IterationsLimit
	for at := (wire.IterRound{}); at.Iter < limit && a.await(ctx, at.Iter); at = protocol.NextSpeaking(at) {
		for ids := range slices.Chunk(a.identities, proveChunk) {
			if a.passed(at) {
				break
			}
			c := chunk{at: at, last: &ids[len(ids)-1] == &a.identities[len(a.identities)-1]}
			c.proofs, c.missing = d.proofs(ctx, a, at, ids)
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
	}
}

// await waits until an iteration is to be prepared; false at the end.
func (a *ahead) await(ctx context.Context, iteration uint8) bool {
	for uint32(iteration) > a.reach.Load() {
		select {
		case <-a.more:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// passed tells whether the session has no use for the round any more: proofs may
// come one round late.
func (a *ahead) passed(at wire.IterRound) bool {
	return protocol.NextSpeaking(at).Absolute() < a.at.Load()
}

// proofs asks for identities' proofs of a round.
func (d *Driver) proofs(ctx context.Context, a *ahead, at wire.IterRound, ids []wire.NodeID) (proofs []protocol.Proof, missing []wire.NodeID) {
	if len(ids) == 0 {
		return nil, nil
	}
	items, message := make([]bus.VRFItem, len(ids)), eligibility.Message(a.beacon, at.Absolute(), a.layer)
	for i, id := range ids {
		items[i] = bus.VRFItem{NodeID: id, Message: message}
	}
	for i, r := range d.deps.Keys.Prove(ctx, items) {
		if r.Outcome == bus.Signed {
			proofs = append(proofs, protocol.Proof{Node: ids[i], Proof: r.Proof})
		} else {
			missing = append(missing, ids[i])
		}
	}
	return proofs, missing
}

// countAhead counts seats, and gives complete rounds to the driver.
func (d *Driver) countAhead(ctx context.Context, a *ahead, in <-chan chunk) {
	var p *prepared
	var of wire.IterRound
	for c := range in {
		select {
		case <-a.begun:
		case <-ctx.Done():
			return
		}
		if p == nil || of != c.at {
			p, of = new(prepared), c.at
		}
		if len(c.proofs) > 0 {
			d.awaitActiveSet(ctx, a, c.proofs[0])
		}
		p.missing = append(p.missing, c.missing...)
		for _, proof := range c.proofs {
			switch seat, err := d.count(a, c.at, proof); {
			case unknownSet(err):
				p.unsure = append(p.unsure, proof)
			case err == nil && seat.Eligibility.Count > 0:
				p.seats = append(p.seats, seat)
			}
		}
		if c.last {
			done := p
			_ = d.post(ctx, func() { d.counted(a, c.at, done) })
			p = nil
		}
	}
}

func (d *Driver) count(a *ahead, at wire.IterRound, p protocol.Proof) (protocol.Seated, error) {
	count, err := d.deps.Oracle.Count(a.version.core.Params().Seat(a.layer, at, p.Node, p.Proof))
	return protocol.Seated{Node: p.Node, Eligibility: wire.HareEligibility{Proof: p.Proof, Count: count}}, err
}

// unknownSet tells that nobody can tell seats yet.
func unknownSet(err error) bool {
	var missing *eligibility.MissingATXError
	return errors.Is(err, eligibility.ErrEmptyActiveSet) || errors.As(err, &missing)
}

// awaitActiveSet waits until the preround if nobody can tell seats yet: the first
// ballots of the network's first epoch, which name the active set, come while its
// first layer is already running.
func (d *Driver) awaitActiveSet(ctx context.Context, a *ahead, p protocol.Proof) {
	due := d.layers.Start(a.layer).Add(a.version.core.Params().RoundStart(wire.IterRound{}))
	if !d.deps.Now().Before(due) {
		return
	}
	if _, err := d.count(a, wire.IterRound{}, p); unknownSet(err) {
		d.deps.Log.Debug("the active set is not known at the start of the layer", "layer", a.layer, "err", err)
		_ = clock.Clock{Now: d.deps.Now, Timer: d.deps.Timer}.Until(ctx, due, nil)
	}
}
