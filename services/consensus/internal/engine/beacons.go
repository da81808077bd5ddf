package engine

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/beacon"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/beacons"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// Beacons is the node's one beacon protocol.
func (e *Engine) Beacons() *beacons.Book { return e.beacons }

func (e *Engine) openBeacons(stored map[wire.EpochID]wire.Beacon) (err error) {
	e.beacons, err = beacons.New(beacon.ParamsOf(&e.params, e.genesis), beacon.Keys{Signatures: e.judge.Params.Verifier}, stored, beacons.Deps{
		Clock: clock.Clock{Now: e.deps.Now, Timer: e.deps.Timer}, Log: e.deps.Log,
		Source: beaconSource{e}, Adopt: e.adoptBeacons,
	})
	return err
}

// adoptBeacons stores beacons and then tells the tortoise. A stored beacon stays,
// unless the new one overwrites it.
func (e *Engine) adoptBeacons(ctx context.Context, records []beacon.Record) error {
	err := e.write(ctx, func(tx pgx.Tx) error {
		for _, r := range records {
			if err := db.InsertBeacon(ctx, tx, r.Epoch, r.Beacon, r.Overwrite); err != nil {
				return err
			}
			if err := e.tell(ctx, tx, &events.Beacon{Epoch: r.Epoch, Beacon: r.Beacon}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range records {
		e.tortoise.OnBeacon(r.Epoch, r.Beacon)
		e.deps.Log.Info("beacon", "epoch", r.Epoch, "beacon", r.Beacon)
	}
	return nil
}

// beaconSource answers the beacon from the rows of activation and the index
// (beacons.Source). The engine's lock is not held.
type beaconSource struct{ engine *Engine }

// ATXs is beacons.Source.
func (s beaconSource) ATXs(ctx context.Context, target wire.EpochID) ([]beacon.ATX, error) {
	if target == 0 {
		return nil, nil
	}
	rows, err := activation.EpochATXs(ctx, s.engine.deps.DB, target-1)
	if err != nil {
		return nil, err
	}
	out := make([]beacon.ATX, len(rows))
	s.engine.mu.RLock()
	defer s.engine.mu.RUnlock()
	for i := range rows {
		out[i] = beaconATX(&rows[i])
		out[i].Malicious = out[i].Malicious || s.engine.index.Malicious(rows[i].Node)
	}
	return out, nil
}

func beaconATX(a *activation.EpochATX) beacon.ATX {
	return beacon.ATX{
		ID: a.ID, Node: a.Node, Weight: a.Weight, Units: a.Units, Received: time.Unix(0, a.Received), Malicious: a.Malicious,
	}
}

// Nonce is beacons.Source. An identity that the protocol may listen to has an ATX
// of the epoch before, which is in the index with the nonce that holds.
func (s beaconSource) Nonce(id wire.NodeID, epoch wire.EpochID) (uint64, bool) {
	s.engine.mu.RLock()
	defer s.engine.mu.RUnlock()
	for entry := range s.engine.index.OfNode(epoch, id) {
		return entry.Nonce, true
	}
	return 0, false
}

// reportATXs tells the beacon of activations that came late: those of the epoch
// before the current one, or of the current one. Of others it has no state.
func (e *Engine) reportATXs(ctx context.Context, rows []activation.ATX) error {
	if e.beacons == nil {
		return nil
	}
	current := e.params.Epoch(e.current())
	late := make(map[wire.ATXID]wire.EpochID)
	for i := range rows {
		if t := rows[i].TargetEpoch(); t == current || t == current+1 {
			late[rows[i].ID] = t
		}
	}
	if len(late) == 0 {
		return nil
	}
	for _, target := range []wire.EpochID{current, current + 1} {
		if !e.beacons.Follows(target) {
			continue
		}
		all, err := activation.EpochATXs(ctx, e.deps.DB, target-1)
		if err != nil {
			return err
		}
		for i := range all {
			if late[all[i].ID] == target {
				e.beacons.Stored(target, beaconATX(&all[i]))
			}
		}
	}
	return nil
}
