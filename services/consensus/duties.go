package consensus

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

// duties are the metrics of what is done each layer.
type duties struct {
	layer   prometheus.Gauge
	missed  prometheus.Counter
	failed  *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	synced  prometheus.Gauge
}

func newDuties(r prometheus.Registerer) *duties {
	const prefix = "smeshery_consensus_"
	d := &duties{
		layer:  prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "current_layer", Help: "The layer whose duties were begun last."}),
		missed: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "layers_missed_total", Help: "Layers that went by while the duties of an earlier one still ran, or the clock jumped."}),
		synced: prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "synced", Help: "1 while the node takes part in gossip duties."}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "duties_failed_total", Help: "Duties of a layer that failed."}, []string{"duty"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "duty_seconds", Help: "How long duties of a layer took.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}, []string{"duty"}),
	}
	for _, duty := range []string{"lease", "identities", "follow", "beacon", "hare", "proposals", "processing"} {
		d.failed.WithLabelValues(duty)
	}
	r.MustRegister(d.layer, d.missed, d.failed, d.seconds, d.synced)
	return d
}

// begin does what a tenure can do in the middle of a layer: it is not built for,
// nor does hare begin in it.
func (t *tenure) begin(ctx context.Context) {
	current := t.calendar.LayerAt(t.clock.Now())
	t.duty(ctx, current, "identities", t.refresh)
	t.duty(ctx, current, "follow", t.engine.Follow)
	t.sync(current)
	t.duty(ctx, current, "beacon", func(ctx context.Context) error { return t.fallbacks(ctx, current) })
	t.poke()
}

// layers waits for each layer and does its duties, and prepares epochs before they
// begin.
func (t *tenure) layers(ctx context.Context, next wire.LayerID) error {
	for {
		if at, epoch := t.preparation(next); at.Before(t.calendar.Start(next)) {
			if err := t.clock.Until(ctx, at, nil); err != nil {
				return nil //nolint:nilerr // the end was asked for
			}
			t.prepare(ctx, epoch)
		}
		if err := t.clock.Until(ctx, t.calendar.Start(next), nil); err != nil {
			return nil //nolint:nilerr // the end was asked for
		}
		current := t.calendar.LayerAt(t.clock.Now())
		if current < next {
			continue // the clock was set back
		}
		t.metrics.duties.missed.Add(float64(current - next))
		t.layer(ctx, current)
		next = current + 1
	}
}

// next is the first layer to begin.
func (t *tenure) next() wire.LayerID {
	now := t.clock.Now()
	if now.Before(t.calendar.Genesis) {
		return 0
	}
	return t.calendar.LayerAt(now) + 1
}

// preparation is when the epoch that begins with layer next is prepared; not
// before its start where it begins none.
func (t *tenure) preparation(next wire.LayerID) (time.Time, wire.EpochID) {
	epoch, start := t.cfg.Network.Epoch(next), t.calendar.Start(next)
	if next != t.cfg.Network.FirstLayer(epoch) || t.cfg.Network.ActiveSet.Tries == 0 {
		return start, epoch
	}
	return start.Add(-min(t.cfg.Network.ActiveSet.Window, t.cfg.Network.LayerDuration)), epoch
}

// prepare tries a few times before the epoch begins.
func (t *tenure) prepare(ctx context.Context, epoch wire.EpochID) {
	first := t.cfg.Network.FirstLayer(epoch)
	if !t.synced.Load() || first <= t.cfg.Network.FirstEffectiveGenesis() {
		return
	}
	for range t.cfg.Network.ActiveSet.Tries {
		err := t.engine.Follow(ctx)
		if err == nil {
			err = t.builder.Prepare(ctx, epoch)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		t.deps.Log.Info("the next epoch is not prepared yet", "epoch", epoch, "err", err)
		again := t.clock.Now().Add(t.cfg.Network.ActiveSet.RetryInterval)
		if !again.Before(t.calendar.Start(first)) || t.clock.Until(ctx, again, nil) != nil {
			return
		}
	}
}

// layer does a layer's duties in their order. One that fails does not hold up
// those after it.
func (t *tenure) layer(ctx context.Context, layer wire.LayerID) {
	if err := bus.LayerTick().Hint(t.deps.Bus, bus.Tick{Layer: layer}); err != nil {
		t.deps.Log.Warn("others were not told of a layer", "layer", layer, "err", err)
	}
	t.metrics.duties.layer.Set(float64(layer))
	if !t.trusted(t.term) {
		t.deps.Log.Warn("a layer is left out: the lease could not be renewed", "layer", layer)
		t.metrics.duties.failed.WithLabelValues("lease").Inc()
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*t.cfg.Network.LayerDuration)
	defer cancel()
	t.duty(ctx, layer, "identities", t.refresh)
	t.duty(ctx, layer, "follow", t.engine.Follow)
	t.sync(layer)
	t.engine.OnLayer(layer)
	t.duty(ctx, layer, "beacon", func(ctx context.Context) error { return t.fallbacks(ctx, layer) })
	if t.cfg.Standalone && layer > t.cfg.Network.FirstEffectiveGenesis() {
		// Hare takes the committee from this node's own active set. What fails here
		// fails again in the proposals' duty, and is told there.
		_ = t.builder.Prepare(ctx, t.cfg.Network.Epoch(layer))
	}
	t.duty(ctx, layer, "hare", func(ctx context.Context) error { return t.startHare(ctx, layer) })
	t.duty(ctx, layer, "proposals", func(ctx context.Context) error { return t.propose(ctx, layer) })
	t.poke()
}

func (t *tenure) duty(ctx context.Context, layer wire.LayerID, name string, f func(context.Context) error) {
	began := time.Now()
	err := f(ctx)
	t.metrics.duties.seconds.WithLabelValues(name).Observe(time.Since(began).Seconds())
	if err != nil && ctx.Err() == nil {
		t.metrics.duties.failed.WithLabelValues(name).Inc()
		t.deps.Log.Warn("a duty of the layer failed", "duty", name, "layer", layer, "err", err)
	}
}

// refresh learns which identities are held, and by whom. What is known stays if
// that fails.
func (t *tenure) refresh(ctx context.Context) error {
	err := t.signer.Refresh(ctx)
	t.book.Identities(t.signer.Identities())
	return err
}

// sync decides whether the node takes part. Alone it always does; otherwise it has
// to keep up with layers.
func (t *tenure) sync(current wire.LayerID) {
	synced := t.cfg.Standalone || t.engine.Status().Processed+2 > current
	t.synced.Store(synced)
	t.book.SetSync(synced, synced)
	value := 0.0
	if synced {
		value = 1
	}
	t.metrics.duties.synced.Set(value)
}

// fallbacks makes beacons that no protocol makes in a network of this node alone.
func (t *tenure) fallbacks(ctx context.Context, layer wire.LayerID) error {
	if !t.cfg.Standalone {
		return nil
	}
	first := t.cfg.Network.Epoch(t.cfg.Network.FirstEffectiveGenesis()) + 1
	return t.book.Fallbacks(ctx, t.cfg.Network.Genesis.ID(), first, t.cfg.Network.Epoch(layer))
}

// mostTold bounds how many missed layers hare is told of.
const mostTold = 100

func (t *tenure) startHare(ctx context.Context, layer wire.LayerID) error {
	from := t.told + 1
	if layer > from+mostTold {
		from = layer - mostTold
	}
	for l := from; l <= layer; l++ {
		if err := t.driver.OnLayer(ctx, l, t.synced.Load()); err != nil {
			return err
		}
		t.told = l
	}
	return nil
}

func (t *tenure) propose(ctx context.Context, layer wire.LayerID) error {
	if layer <= t.cfg.Network.FirstEffectiveGenesis() || !t.synced.Load() {
		return nil
	}
	n, err := t.builder.Build(ctx, layer)
	if n > 0 {
		t.deps.Log.Info("proposals", "layer", layer, "count", n)
	}
	return err
}

func (t *tenure) poke() {
	select {
	case t.due <- struct{}{}:
	default:
	}
}
