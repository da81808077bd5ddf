package replay

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Target is the node under test.
type Target interface {
	// Bus is a connection that plays the part of gossip.
	Bus() *bus.Conn
	// DB reads the tables of all services.
	DB() *store.DB
	// Failed is closed when the node cannot go on; Err tells why.
	Failed() <-chan struct{}
	Err() error
	// Gather collects the services' metrics.
	Gather() (prometheus.Gatherers, error)
}

// Config of a replay.
type Config struct {
	Source source.Source
	Target Target
	// Clock and Arrivals are those that the target's services use.
	Clock    *Clock
	Arrivals *Arrivals
	// FromLayer is where comparison begins; 0 is the first layer.
	FromLayer wire.LayerID
	// StopAt is the last layer to process; 0 is all.
	StopAt   wire.LayerID
	Progress Progress
}

type run struct {
	src      source.Source
	target   Target
	clock    *Clock
	arrivals *Arrivals
	progress Progress
	params   network.Params
	times    layerclock.Clock
	feeds    feeds
	noticed  atomic.Int64

	from, genesis wire.LayerID
	// last is the last layer to process, settled the last one that the source
	// has an aggregated hash for.
	last, settled wire.LayerID
	// processed is how far the target is, compared how far comparison is.
	processed wire.LayerID
	// verified is the last layer that tortoise and state of the target are done with.
	verified wire.LayerID
	// whole tells that the replay goes to the end of the source.
	whole    bool
	compared *follower

	differences Differences
	report      Report
}

// Run replays the source. It returns what it found so far beside an error.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	r := &run{
		src: cfg.Source, target: cfg.Target, clock: cfg.Clock, arrivals: cfg.Arrivals, progress: cfg.Progress,
		params: cfg.Source.Params(), from: cfg.FromLayer,
	}
	r.differences.tell = r.progress.Differs
	r.times = layerclock.Clock{Genesis: r.params.Genesis.Time, LayerDuration: r.params.LayerDuration}
	r.genesis = r.params.FirstEffectiveGenesis()
	r.report.Source, r.report.Network, r.report.FirstLayer = r.src.Name(), r.params.Name, r.genesis+1
	began := time.Now()
	err := r.run(ctx, cfg.StopAt)
	r.report.Seconds = time.Since(began).Seconds()
	r.finishReport(ctx)
	return &r.report, err
}

func (r *run) run(ctx context.Context, stopAt wire.LayerID) error {
	if err := r.bounds(ctx, stopAt); err != nil {
		return err
	}
	if err := r.readProgress(ctx); err != nil {
		return err
	}
	if err := r.openFeeds(ctx); err != nil {
		return err
	}
	defer r.feeds.close()
	r.compared = newFollower(ctx, r)
	defer r.compared.close()
	r.clock.Set(r.times.Start(r.genesis))
	if err := r.feedPoets(ctx); err != nil {
		return err
	}
	if err := r.skipPending(); err != nil {
		return err
	}
	for layer := r.genesis + 1; layer <= r.last; layer++ {
		if err := r.layer(ctx, layer); err != nil {
			return err
		}
	}
	if !r.whole {
		// The target need not have decided on its last layers yet.
		r.settled = min(r.settled, r.verified)
		return r.compareRest(ctx)
	}
	if err := r.remainder(ctx); err != nil {
		return err
	}
	return r.compareRest(ctx)
}

// bounds finds out which layers the source has.
func (r *run) bounds(ctx context.Context, stopAt wire.LayerID) error {
	r.last, r.settled = r.genesis, r.genesis
	for l, err := range r.src.Layers(ctx) {
		if err != nil {
			return err
		}
		if l.Processed && l.Layer > r.last {
			r.last = l.Layer
		}
		if l.Aggregated != nil && l.Layer > r.settled {
			r.settled = l.Layer
		}
	}
	r.whole = stopAt == 0 || stopAt >= r.last
	if stopAt > 0 {
		if stopAt <= r.genesis {
			return fmt.Errorf("layer %d cannot be the last: the first layer after genesis is %d", stopAt, r.genesis+1)
		}
		r.last = min(r.last, stopAt)
	}
	r.settled = min(r.settled, r.last)
	if r.from > r.last {
		return fmt.Errorf("layer %d cannot be the first: the last layer is %d", r.from, r.last)
	}
	r.report.LastLayer = r.last
	return nil
}

// readProgress asks consensus how far an earlier run came.
func (r *run) readProgress(ctx context.Context) error {
	return r.persist(ctx, "ask how far the node is", func(ctx context.Context) error {
		s, err := bus.ConsensusStatus().Call(ctx, r.target.Bus(), bus.None{})
		r.processed, r.verified = max(s.Processed, r.genesis), s.Verified
		if r.processed > r.genesis {
			r.progress.Notice("going on after layer %d, which an earlier run processed", r.processed)
		}
		r.report.ResumedAfter = r.processed
		return err
	})
}

// layer feeds one layer and processes it.
func (r *run) layer(ctx context.Context, layer wire.LayerID) error {
	r.clock.Set(r.times.Start(layer).Add(r.params.LayerDuration / 2))
	epoch := r.params.Epoch(layer)
	for _, step := range []func() error{
		func() error { return r.feedATXs(ctx, epoch) },
		func() error { return r.feedMalfeasance(ctx, r.clock.Now()) },
		func() error { return r.feedActiveSets(ctx, epoch) },
		func() error { return r.feedTransactions(ctx, int64(layer)) },
		func() error { return r.feedBallots(ctx, layer) },
		func() error { return r.feedBlocks(ctx, layer) },
		func() error { return r.tellLayer(ctx, layer) },
		func() error { return r.process(ctx, layer) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("layer %d: %w", layer, err)
		}
	}
	return nil
}

// remainder feeds what belongs to layers that the source did not process any more.
func (r *run) remainder(ctx context.Context) error {
	epoch := wire.EpochID(math.MaxUint32)
	for _, step := range []func() error{
		func() error { return r.feedATXs(ctx, epoch) },
		func() error { return r.feedMalfeasance(ctx, time.Unix(1<<40, 0)) },
		func() error { return r.feedActiveSets(ctx, epoch) },
		func() error { return r.feedTransactions(ctx, math.MaxInt64) },
		func() error { return r.feedBallots(ctx, math.MaxUint32) },
		func() error { return r.feedBlocks(ctx, math.MaxUint32) },
		func() error { return r.feedPending(ctx) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("after layer %d: %w", r.last, err)
		}
	}
	return nil
}

func (r *run) compare(k source.Kind, name string, place source.Place) *comparison {
	return &comparison{found: &r.differences, kind: k, name: name, place: place}
}
