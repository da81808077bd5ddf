package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Costs counts what the dear checks take, so that a replay can say what is left
// without them.
type Costs struct {
	VRF     *Cost
	Ballots prometheus.Counter
	Layers  prometheus.Counter
}

// Cost is a kind of check.
type Cost struct {
	count, seconds prometheus.Counter
}

// Start begins a check; the result ends it.
func (c *Cost) Start() func() {
	began := time.Now()
	return func() {
		c.count.Inc()
		c.seconds.Add(time.Since(began).Seconds())
	}
}

// NewCosts registers the counters.
func NewCosts(r prometheus.Registerer) *Costs {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "smeshery_consensus_" + name, Help: help})
		r.MustRegister(c)
		return c
	}
	return &Costs{
		VRF: &Cost{
			count:   counter("vrf_verifications_total", "VRF proofs of ballots and certificates that were verified."),
			seconds: counter("vrf_verification_seconds_total", "Time spent on verifying VRF proofs."),
		},
		Ballots: counter("ballots_total", "Ballots that were judged."),
		Layers:  counter("layers_processed_total", "Layers that were processed."),
	}
}
