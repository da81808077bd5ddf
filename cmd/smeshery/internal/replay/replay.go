package replay

import (
	"context"
	"errors"
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

// tellLayer hands over hare's output and the weak coin.
func (r *run) tellLayer(ctx context.Context, layer wire.LayerID) error {
	certificates, err := r.feeds.certificates.all(func(c *source.Certificate) bool { return c.Layer <= layer })
	if err != nil {
		return err
	}
	layers, err := r.feeds.layers.all(func(l *source.Layer) bool { return l.Layer <= layer })
	if err != nil || layer <= r.processed {
		return err
	}
	for _, c := range certificates {
		news := bus.LayerNews{Layer: c.Layer, Certificate: c.Blob}
		if c.Blob == nil {
			news.Output = &c.Block
		}
		if err := r.tell(ctx, source.Certificates, fmt.Sprintf("certificate of layer %d", c.Layer), c.Place, news); err != nil {
			return err
		}
		r.tally(source.Certificates).Judged++
		r.tally(source.Certificates).Objects++
	}
	for _, l := range layers {
		if l.WeakCoin != nil && l.Layer > r.genesis {
			name := fmt.Sprintf("weak coin of layer %d", l.Layer)
			if err := r.tell(ctx, source.Layers, name, l.Place, bus.LayerNews{Layer: l.Layer, Coin: l.WeakCoin}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) tell(ctx context.Context, k source.Kind, name string, place source.Place, news bus.LayerNews) error {
	began := time.Now()
	defer func() { r.tally(k).Seconds += time.Since(began).Seconds() }()
	return r.persist(ctx, name, func(ctx context.Context) error {
		j, err := bus.TellLayer().Call(ctx, r.target.Bus(), news)
		if err == nil && j.Verdict != bus.Accept {
			r.compare(k, name, place).differ("verdict", fmt.Sprintf("%s (%s: %s)", j.Verdict, j.Reason, j.Detail), "accepted")
		}
		return err
	})
}

// maxMissing is how often a layer may ask for bodies of blocks.
const maxMissing = 16

// process makes the target process the layer, unless it has, and compares what
// is verified by then.
func (r *run) process(ctx context.Context, layer wire.LayerID) (err error) {
	if layer <= r.processed {
		return nil
	}
	began := time.Now()
	if r.verified, err = r.processWith(ctx, layer); err != nil {
		return err
	}
	t := r.tally(source.Layers)
	t.Seconds += time.Since(began).Seconds()
	t.Objects++
	t.Judged++
	r.processed = layer
	r.progress.Layer(layer, r.last)
	return r.compared.upTo(ctx, min(r.verified, r.settled))
}

// processWith processes a layer with all the blocks that it wants.
func (r *run) processWith(ctx context.Context, layer wire.LayerID) (verified wire.LayerID, err error) {
	for range maxMissing {
		var reply bus.ProcessReply
		err := r.persist(ctx, fmt.Sprintf("process layer %d", layer), func(ctx context.Context) (err error) {
			reply, err = bus.ProcessLayer().Call(ctx, r.target.Bus(), bus.ProcessRequest{Layer: layer})
			return err
		})
		if err != nil || len(reply.Missing) == 0 {
			return min(reply.Verified, reply.InState), err
		}
		missing := make(map[bus.Missing]struct{})
		for _, id := range reply.Missing {
			missing[bus.Missing{Kind: bus.KindBlock, Hash: wire.Pad32(id)}] = struct{}{}
		}
		found, err := r.supply(ctx, missing, 0)
		if err != nil {
			return 0, err
		}
		if !found {
			return 0, fmt.Errorf("the node wants %s, which the source does not have", describe(missing))
		}
	}
	return 0, errors.New("the node wants ever more blocks")
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
