package sharing

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Member is a process among others.
type Member struct {
	db       *store.DB
	instance string
	ttl      time.Duration
}

// New makes a member with a name that no other process has. Others take it for
// dead when it has not beaten for ttl.
func New(db *store.DB, instance string, ttl time.Duration) *Member {
	return &Member{db: db, instance: instance, ttl: ttl}
}

// Beat says that the process is alive and which identities' keys it has, and
// returns which of them it should hold.
func (m *Member) Beat(ctx context.Context, keys []wire.NodeID) ([]wire.NodeID, error) {
	flat := make([]byte, 0, 32*len(keys))
	for i := range keys {
		flat = append(flat, keys[i][:]...)
	}
	var others []other
	retired := make(map[wire.NodeID]bool)
	b := new(pgx.Batch)
	b.Queue(`INSERT INTO members (instance, identities, expires_at) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
		ON CONFLICT (instance) DO UPDATE SET identities = excluded.identities, expires_at = excluded.expires_at`,
		m.instance, flat, m.ttl.Seconds())
	b.Queue(`DELETE FROM members WHERE expires_at < clock_timestamp() - interval '1 day'`)
	b.Queue(`SELECT instance, identities FROM members WHERE expires_at > clock_timestamp() AND instance <> $1`, m.instance).
		Query(func(rows pgx.Rows) (err error) {
			others, err = pgx.CollectRows(rows, scanOther)
			return err
		})
	b.Queue(`SELECT node_id FROM retired`).Query(func(rows pgx.Rows) error {
		var id []byte
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error { retired[wire.NodeID(id)] = true; return nil })
		return err
	})
	if err := m.db.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("share identities: %w", err)
	}
	return m.share(keys, others, retired), nil
}

// other is a process that is alive.
type other struct {
	instance string
	keys     map[wire.NodeID]struct{}
}

func scanOther(row pgx.CollectableRow) (o other, err error) {
	var flat []byte
	if err = row.Scan(&o.instance, &flat); err != nil {
		return o, err
	}
	o.keys = make(map[wire.NodeID]struct{}, len(flat)/32)
	for ; len(flat) >= 32; flat = flat[32:] {
		o.keys[wire.NodeID(flat[:32])] = struct{}{}
	}
	return o, nil
}

func (m *Member) share(keys []wire.NodeID, others []other, retired map[wire.NodeID]bool) []wire.NodeID {
	mine := make([]wire.NodeID, 0, len(keys))
	for _, id := range keys {
		if !retired[id] && m.wins(id, others) {
			mine = append(mine, id)
		}
	}
	return mine
}

func (m *Member) wins(id wire.NodeID, others []other) bool {
	own := weight(m.instance, id)
	for i := range others {
		if _, ok := others[i].keys[id]; !ok {
			continue
		}
		if w := weight(others[i].instance, id); bytes.Compare(w[:], own[:]) > 0 {
			return false
		}
	}
	return true
}

func weight(instance string, id wire.NodeID) [32]byte {
	return wire.Sum(append([]byte(instance), id[:]...))
}

// Leave lets others take what the process held without waiting for it to be
// taken for dead.
func (m *Member) Leave(ctx context.Context) error {
	if _, err := m.db.Exec(ctx, `DELETE FROM members WHERE instance = $1`, m.instance); err != nil {
		return fmt.Errorf("leave the sharing of identities: %w", err)
	}
	return nil
}
