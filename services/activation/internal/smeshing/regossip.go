package smeshing

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/wire"
)

// shares is how many parts an interval of regossip has; each takes the identities
// of its share, so that they do not all speak at once.
const shares = 16

// Regossip publishes the ATXs of the current epoch again, each identity's once an
// interval (spec 04 §5.14), until ctx ends.
func (s *Smesher) Regossip(ctx context.Context) error {
	interval := s.cfg.Network.RegossipATXInterval
	if interval <= 0 {
		return nil
	}
	at := s.deps.Alarm.Now().Add(interval / shares)
	for share := 0; s.deps.Alarm.Sleep(ctx, at) == nil; share++ {
		if late := s.deps.Alarm.Now(); late.Sub(at) > interval {
			at = late // the machine slept, or its clock was set
		}
		if err := s.regossip(ctx, share%shares, at); err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("own atxs were not published again", "err", err)
		}
		at = at.Add(interval / shares)
	}
	return nil
}

func (s *Smesher) regossip(ctx context.Context, share int, now time.Time) error {
	var ids []wire.NodeID
	for id := range s.deps.Held() {
		if int(id[0])%shares == share {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	defer s.deps.Wake()
	return store.InTx(ctx, s.deps.DB, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT blob FROM atxs WHERE node_id = ANY ($1::bytea[]) AND publish_epoch = $2 AND blob IS NOT NULL`,
			store.Column(ids, func(id *wire.NodeID) []byte { return id[:] }), int64(s.calendar.EpochAt(now)))
		if err != nil {
			return err
		}
		blobs, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return err
		}
		messages := make([]bus.Outgoing, len(blobs))
		for i, blob := range blobs {
			if messages[i], err = bus.GossipOut(bus.TopicATX).Outgoing(blob); err != nil {
				return err
			}
		}
		return outbox.AddTx(ctx, tx, messages...)
	})
}
