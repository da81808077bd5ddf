package node

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/services/activation"
	"github.com/smeshery/smeshery/services/consensus"
	"github.com/smeshery/smeshery/services/state"
)

// service is what every service package makes.
type service interface {
	Run(ctx context.Context) error
	Ready() error
}

// wiring is what a module gives to its service, fresh for every start.
type wiring struct {
	db       *store.DB
	bus      *bus.Conn
	log      *slog.Logger
	registry *prometheus.Registry
}

// module is a service of the process.
type module struct {
	name   string
	schema store.Schema
	build  func(cfg Config, w wiring) (service, error)
}

// clock is a function as activation wants it.
type clock func() time.Time

// Now reads the clock.
func (c clock) Now() time.Time { return c() }

// leaseTTL is short: the data directory's lock already keeps others away.
const leaseTTL = 3 * time.Second

// modules are in the order of their start: each only needs those before it.
func modules() []module {
	return []module{
		{bus.ActivationService, activation.Schema(), func(cfg Config, w wiring) (service, error) {
			return activation.New(activation.Config{Network: cfg.Network, Seed: cfg.Seed, LeaseTTL: leaseTTL}, activation.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Registry: w.registry, Clock: clock(cfg.Now), Received: cfg.Received,
			})
		}},
		{bus.StateService, state.Schema(), func(cfg Config, w wiring) (service, error) {
			return state.New(state.Config{Network: cfg.Network, LeaseTTL: leaseTTL}, state.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Metrics: w.registry, Now: cfg.Now,
			})
		}},
		{bus.ConsensusService, consensus.Schema(), func(cfg Config, w wiring) (service, error) {
			return consensus.New(consensus.Config{Network: cfg.Network}, consensus.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Registry: w.registry, Now: cfg.Now,
			})
		}},
	}
}

// Schemas are those of all services, for migrations.
func Schemas() []store.Schema {
	var out []store.Schema
	for _, m := range modules() {
		out = append(out, m.schema)
	}
	return out
}
