package smeshing

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/alarm"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
	"github.com/smeshery/smeshery/services/activation/internal/poets"
)

// Config of a Smesher.
type Config struct {
	Network network.Params
	// Coinbase receives the rewards of all identities; it is fixed in an ATX when
	// its proof of space is stored.
	Coinbase wire.Address
	// AutoInit makes data for identities that have none, of Units units.
	AutoInit bool
	Units    uint32
	// RetryInterval is the pause after trouble with PoETs.
	RetryInterval time.Duration
	// Backoff is the first pause after an ATX could not be published; it doubles
	// up to a minute.
	Backoff time.Duration
}

// Intake is where own ATXs and PoET proofs are judged and stored like all others.
type Intake interface {
	Handle(ctx context.Context, items []intake.Item, current wire.EpochID) ([]atx.Outcome, error)
	VerifyChains(ctx context.Context, ids []wire.ATXID, trust intake.Trust, first bool) ([]bool, error)
}

// Deps is what a Smesher works with; all are needed but Registry and Synced.
type Deps struct {
	DB     *store.DB
	Space  Space
	Verify intake.Space
	Intake Intake
	PoETs  *poets.Servers
	// Sign is the guard's.
	Sign func(ctx context.Context, items []guard.Item) ([]guard.Verdict, error)
	// Held are the identities to live for, with the terms of their leases.
	Held  func() map[wire.NodeID]lease.Term
	Name  func(wire.NodeID) string
	Alarm *alarm.Alarm
	Log   *slog.Logger
	// Registry may be nil.
	Registry prometheus.Registerer
	// Wake has the outbox relayed.
	Wake func()
	// Synced tells whether ATXs of the past are here; nil: they are.
	Synced func() bool
}

func (c *Config) setDefaults() {
	if c.RetryInterval <= 0 {
		c.RetryInterval = 25 * time.Second
	}
	if c.Backoff <= 0 {
		c.Backoff = time.Second
	}
	if c.Units == 0 {
		c.Units = c.Network.Post.MinNumUnits
	}
}

func (d *Deps) check() error {
	if d.DB == nil || d.Space == nil || d.Verify == nil || d.Intake == nil || d.PoETs == nil || d.Sign == nil ||
		d.Held == nil || d.Alarm == nil || d.Log == nil || d.Wake == nil {
		return errors.New("smeshing: a dependency is missing")
	}
	if d.Synced == nil {
		d.Synced = func() bool { return true }
	}
	if d.Name == nil {
		d.Name = func(id wire.NodeID) string { return id.String() }
	}
	return nil
}
