package activation

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of this package's queries.
var (
	//go:embed atxs_after.sql
	atxsAfterSQL string
	//go:embed atxs_by_id.sql
	atxsByIDSQL string
	//go:embed malicious_after.sql
	maliciousAfterSQL string
)

// ATX is what other services need of an activation.
type ATX struct {
	Seq          int64
	ID           wire.ATXID
	PublishEpoch wire.EpochID
	Node         wire.NodeID
	Coinbase     wire.Address
	Weight       uint64
	BaseHeight   uint64
	Ticks        uint64
	VRFNonce     uint64
	// Received is in nanoseconds since 1970.
	Received int64
}

// TargetEpoch is the epoch in which the ATX counts.
func (a *ATX) TargetEpoch() wire.EpochID { return a.PublishEpoch + 1 }

// Height is the end of the ticks that the ATX stands on.
func (a *ATX) Height() uint64 { return a.BaseHeight + a.Ticks }

// ATXsAfter reads the feed of ATXs.
func ATXsAfter(ctx context.Context, q store.Querier, seq int64, limit int) ([]ATX, error) {
	return atxs(ctx, q, atxsAfterSQL, seq, limit)
}

// ATXsByID reads those of the ids that are stored, in any order.
func ATXsByID(ctx context.Context, q store.Querier, ids []wire.ATXID) ([]ATX, error) {
	keys := store.Column(ids, func(id *wire.ATXID) []byte { return id[:] })
	return atxs(ctx, q, atxsByIDSQL, keys)
}

func atxs(ctx context.Context, q store.Querier, sql string, args ...any) ([]ATX, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read atxs: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a ATX, err error) {
		var id, node, coinbase []byte
		var epoch, weight, base, ticks, nonce int64
		err = row.Scan(&a.Seq, &id, &epoch, &node, &coinbase, &weight, &base, &ticks, &nonce, &a.Received)
		if err != nil {
			return a, err
		}
		a.ID, a.Node, a.Coinbase = wire.ATXID(id), wire.NodeID(node), wire.Address(coinbase)
		a.PublishEpoch = wire.EpochID(epoch)
		a.Weight, a.BaseHeight, a.Ticks, a.VRFNonce = uint64(weight), uint64(base), uint64(ticks), uint64(nonce)
		return a, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read atxs: %w", err)
	}
	return out, nil
}

// Malicious is an identity with a proof.
type Malicious struct {
	Seq  int64
	Node wire.NodeID
	// Received is in nanoseconds since 1970.
	Received int64
}

// MaliciousAfter reads the feed of malicious identities.
func MaliciousAfter(ctx context.Context, q store.Querier, seq int64, limit int) ([]Malicious, error) {
	rows, err := q.Query(ctx, maliciousAfterSQL, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("read malicious identities: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Malicious, err error) {
		var node []byte
		if err = row.Scan(&m.Seq, &node, &m.Received); err == nil {
			m.Node = wire.NodeID(node)
		}
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read malicious identities: %w", err)
	}
	return out, nil
}
