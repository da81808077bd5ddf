package consensus

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/wire"
)

// watch shows where the network is by the clock, and where this process is. What
// it does not know, because another process leads or nothing is recovered yet, is
// left out.
type watch struct {
	s        *Service
	calendar layerclock.Clock

	clock, epoch, perEpoch, seconds, genesis *prometheus.Desc
	leading, beacon, processed, verified     *prometheus.Desc
	inState, identities                      *prometheus.Desc
}

func newWatch(s *Service) *watch {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("smeshery_consensus_"+name, help, labels, nil)
	}
	n := &s.cfg.Network
	return &watch{
		s: s, calendar: layerclock.Clock{Genesis: n.Genesis.Time, LayerDuration: n.LayerDuration},
		clock:      desc("clock_layer", "The layer by the clock."),
		epoch:      desc("clock_epoch", "The epoch by the clock."),
		perEpoch:   desc("epoch_layers", "Layers of an epoch."),
		seconds:    desc("layer_duration_seconds", "Duration of a layer."),
		genesis:    desc("effective_genesis_layer", "The last layer without ballots."),
		leading:    desc("leading", "1 while this process does the duties."),
		beacon:     desc("beacon_known", "1 if the epoch's beacon is known.", "epoch"),
		processed:  desc("processed_layer", "The highest processed layer."),
		verified:   desc("verified_layer", "The highest layer that the tortoise verified."),
		inState:    desc("in_state_layer", "The highest layer that state was told to apply."),
		identities: desc("identities", "Identities that this process does duties for."),
	}
}

// Describe implements prometheus.Collector.
func (w *watch) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		w.clock, w.epoch, w.perEpoch, w.seconds, w.genesis, w.leading, w.beacon, w.processed, w.verified, w.inState, w.identities,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (w *watch) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	n := &w.s.cfg.Network
	var layer wire.LayerID
	if now := w.s.deps.Now(); !now.Before(w.calendar.Genesis) {
		layer = w.calendar.LayerAt(now)
	}
	epoch := n.Epoch(layer)
	put(w.clock, float64(layer))
	put(w.epoch, float64(epoch))
	put(w.perEpoch, float64(n.LayersPerEpoch))
	put(w.seconds, n.LayerDuration.Seconds())
	put(w.genesis, float64(n.FirstEffectiveGenesis()))
	e := w.s.engine.Load()
	if w.s.live != nil {
		put(w.leading, number(e != nil))
	}
	if e == nil {
		return
	}
	st := e.Status()
	put(w.processed, float64(st.Processed))
	put(w.verified, float64(st.Verified))
	put(w.inState, float64(st.InState))
	for name, of := range map[string]wire.EpochID{"current": epoch, "next": epoch + 1} {
		_, ok := e.BeaconOf(of)
		put(w.beacon, number(ok), name)
	}
	if w.s.live == nil {
		return
	}
	if t := w.s.live.tenure.Load(); t != nil {
		put(w.identities, float64(len(t.signer.Identities())))
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
