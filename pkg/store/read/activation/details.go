package activation

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of the queries about what users see of activations.
var (
	//go:embed details_by_id.sql
	detailsByIDSQL string
	//go:embed honest_ids.sql
	honestIDsSQL string
)

// ATXDetails is what users see of an activation.
type ATXDetails struct {
	ATX
	Sequence uint64
	// Units are the effective ones.
	Units uint32
	// Previous are the ATXs that it continues, in its order; none if it is the
	// first of all its identities.
	Previous []wire.ATXID
}

// DetailsByID reads those of the ids that are stored, in any order.
func DetailsByID(ctx context.Context, q store.Querier, ids []wire.ATXID) ([]ATXDetails, error) {
	keys := store.Column(ids, func(id *wire.ATXID) []byte { return id[:] })
	rows, err := q.Query(ctx, detailsByIDSQL, keys)
	if err != nil {
		return nil, fmt.Errorf("read details of atxs: %w", err)
	}
	out, err := pgx.CollectRows(rows, scanDetails)
	if err != nil {
		return nil, fmt.Errorf("read details of atxs: %w", err)
	}
	return out, nil
}

func scanDetails(row pgx.CollectableRow) (a ATXDetails, err error) {
	var id, node, coinbase []byte
	var previous [][]byte
	var epoch, weight, base, ticks, nonce, sequence, units int64
	if err = row.Scan(&a.Seq, &id, &epoch, &node, &coinbase, &weight, &base, &ticks, &nonce, &a.Received,
		&sequence, &units, &previous); err != nil {
		return a, err
	}
	a.ID, a.Node, a.Coinbase = wire.ATXID(id), wire.NodeID(node), wire.Address(coinbase)
	a.PublishEpoch = wire.EpochID(epoch)
	a.Weight, a.BaseHeight, a.Ticks, a.VRFNonce = uint64(weight), uint64(base), uint64(ticks), uint64(nonce)
	a.Sequence, a.Units = uint64(sequence), uint32(units)
	for _, p := range previous {
		a.Previous = append(a.Previous, wire.ATXID(p))
	}
	return a, nil
}

// HonestIDs reads the ATXs published in an epoch by identities without a proof
// against them, ascending.
func HonestIDs(ctx context.Context, q store.Querier, publish wire.EpochID) ([]wire.ATXID, error) {
	rows, err := q.Query(ctx, honestIDsSQL, int64(publish))
	if err != nil {
		return nil, fmt.Errorf("read honest atxs of epoch %d: %w", publish, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (wire.ATXID, error) {
		var id []byte
		if err := row.Scan(&id); err != nil {
			return wire.ATXID{}, err
		}
		return wire.ATXID(id), nil
	})
	if err != nil {
		return nil, fmt.Errorf("read honest atxs of epoch %d: %w", publish, err)
	}
	return out, nil
}
