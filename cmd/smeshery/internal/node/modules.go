package node

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/post/randomx"
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
	db  *store.DB
	bus *bus.Conn
	// pow is shared by the services of the process: RandomX takes 256 MB.
	pow *randomx.Lazy
	log *slog.Logger
	// levels are the log levels of all services, by name.
	levels   map[string]*slog.LevelVar
	registry *prometheus.Registry
}

// module is a service of the process.
type module struct {
	name string
	// schema that the service writes; without a name it reads those of others.
	schema store.Schema
	// noDatabase: the service has no business with Postgres.
	noDatabase bool
	build      func(cfg Config, w wiring) (service, error)
}

// clock is a function as activation wants it.
type clock func() time.Time

// Now reads the clock.
func (c clock) Now() time.Time { return c() }

// leaseTTL is short: the data directory's lock already keeps others away.
const leaseTTL = 3 * time.Second

// digesting are the services that own objects, in the order of their start: each
// only needs those before it.
func digesting() []module {
	return []module{
		{name: bus.ActivationService, schema: activation.Schema(), build: func(cfg Config, w wiring) (service, error) {
			return activation.New(activation.Config{Network: cfg.Network, Seed: cfg.Seed, LeaseTTL: leaseTTL}, activation.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Registry: w.registry, Clock: clock(cfg.Now), Received: cfg.Received,
			})
		}},
		{name: bus.StateService, schema: state.Schema(), build: func(cfg Config, w wiring) (service, error) {
			return state.New(state.Config{Network: cfg.Network, LeaseTTL: leaseTTL}, state.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Metrics: w.registry, Now: cfg.Now,
			})
		}},
		{name: bus.ConsensusService, schema: consensus.Schema(), build: func(cfg Config, w wiring) (service, error) {
			return consensus.New(consensus.Config{Network: cfg.Network}, consensus.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Registry: w.registry, Now: cfg.Now,
			})
		}},
	}
}

// chosen are the services that a configuration asks for.
func chosen(cfg *Config) ([]module, error) {
	all := digesting()
	if cfg.Live != nil {
		all = live()
	}
	if len(cfg.Targets) == 0 {
		return all, nil
	}
	var out []module
	for _, m := range all {
		if slices.Contains(cfg.Targets, m.name) {
			out = append(out, m)
		}
	}
	for _, name := range cfg.Targets {
		if !slices.ContainsFunc(all, func(m module) bool { return m.name == name }) {
			return nil, fmt.Errorf("no service %q; there are %s", name, strings.Join(store.Column(all, func(m *module) string { return m.name }), ", "))
		}
	}
	return out, nil
}

// Schemas are those of all services, for migrations.
func Schemas() []store.Schema {
	var out []store.Schema
	for _, m := range live() {
		if m.schema.Name != "" {
			out = append(out, m.schema)
		}
	}
	return out
}
