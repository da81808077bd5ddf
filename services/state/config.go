package state

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Config of the service. Zero values of what has a default take it.
type Config struct {
	// Network is the network's numbers; required.
	Network network.Params
	// Instance names this process among the replicas, in the lease; default "state".
	Instance string
	// Sole is lease.Config.Instance: set where a lock keeps other processes away.
	Sole string
	// RestoreLayer is the layer that a node continues with after a checkpoint;
	// 0 without one. It has to stay configured (spec 07 §11.4).
	RestoreLayer wire.LayerID
	// Restored are the checkpoint's accounts, needed only by an empty database.
	Restored []wire.Account
	// CacheAccounts bounds the accounts kept in memory, each some 250 bytes;
	// default 400,000.
	CacheAccounts int
	// Cores is how many check signatures; default is all.
	Cores int
	// LeaseTTL is how long a process that died keeps others from taking over;
	// default 15 s.
	LeaseTTL time.Duration
	// StreamReplicas is how many NATS servers keep each stream; default 1.
	StreamReplicas int
	// Drain is how long a stopping service works off its queues; default 10 s.
	Drain time.Duration
	// Repair is how often a mempool in doubt is read again; default 5 s.
	Repair time.Duration
}

// Deps is what the service uses. Log and Metrics may be nil.
type Deps struct {
	// DB is a pool of the schema "state".
	DB *store.DB
	// Bus is a connection as bus.StateService.
	Bus     *bus.Conn
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Now is the wall clock, time.Now if nil: it dates transactions and events.
	Now func() time.Time
	// Outbox tunes the relay; zero takes its defaults.
	Outbox outbox.Config
}

func (c *Config) setDefaults() {
	if c.Instance == "" {
		c.Instance = bus.StateService
	}
	if c.CacheAccounts <= 0 {
		c.CacheAccounts = 400_000
	}
	if c.LeaseTTL <= 0 {
		c.LeaseTTL = 15 * time.Second
	}
	if c.StreamReplicas <= 0 {
		c.StreamReplicas = 1
	}
	if c.Drain <= 0 {
		c.Drain = 10 * time.Second
	}
	if c.Repair <= 0 {
		c.Repair = 5 * time.Second
	}
}

// validate returns all problems at once.
func (c *Config) validate(deps Deps) error {
	var errs []error
	if err := c.Network.Genesis.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("network: %w", err))
	}
	if c.Network.LayersPerEpoch == 0 {
		errs = append(errs, errors.New("network: no layers in an epoch"))
	}
	if c.RestoreLayer == 0 && c.Restored != nil {
		errs = append(errs, errors.New("accounts of a checkpoint without its restore layer"))
	}
	if deps.DB == nil || deps.DB.Schema() != schemaName {
		errs = append(errs, errors.New("needs a database pool of schema "+schemaName))
	}
	if deps.Bus == nil || deps.Bus.Service() != bus.StateService {
		errs = append(errs, errors.New("needs a bus connection as "+bus.StateService))
	}
	return errors.Join(errs...)
}

// effectiveGenesis is the layer that the first accounts stand for (spec 07 §11.6).
func (c *Config) effectiveGenesis() wire.LayerID {
	if c.RestoreLayer > 0 {
		return c.RestoreLayer - 1
	}
	return c.Network.FirstEffectiveGenesis()
}
