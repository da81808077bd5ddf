package activation

import (
	"context"
	_ "embed"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of lists. They are planned for their arguments every time, so that an
// absent filter costs nothing.
var (
	//go:embed list_atxs.sql
	listATXsSQL string
	//go:embed count_atxs.sql
	countATXsSQL string
	//go:embed highest_atx.sql
	highestATXSQL string
	//go:embed list_proofs.sql
	listProofsSQL string
)

// Listed is an activation as lists show it.
type Listed struct {
	ID           wire.ATXID
	Node         wire.NodeID
	PublishEpoch wire.EpochID
	Coinbase     wire.Address
	Weight       uint64
	// Height is the end of the ticks that it stands on.
	Height uint64
	// Units are the effective ones.
	Units uint32
}

// ATXFilter chooses activations; what is nil chooses all.
type ATXFilter struct {
	// From and To bound the publish epoch, both included; To 0 is no bound.
	From, To wire.EpochID
	// IDs and Nodes of any length; one of a wrong length matches nothing.
	IDs, Nodes [][]byte
	Coinbase   *wire.Address
	// After is the last activation of the page before; nil begins.
	After *Listed
}

// ListATXs lists activations by publish epoch, then id.
func ListATXs(ctx context.Context, q store.Querier, f ATXFilter, limit, offset int64) ([]Listed, error) {
	to := int64(f.To)
	if to == 0 {
		to = math.MaxUint32
	}
	var coinbase, afterID []byte
	var afterEpoch *int64
	if f.Coinbase != nil {
		coinbase = f.Coinbase[:]
	}
	if f.After != nil {
		epoch := int64(f.After.PublishEpoch)
		afterEpoch, afterID = &epoch, f.After.ID[:]
	}
	rows, err := q.Query(ctx, listATXsSQL, pgx.QueryExecModeCacheDescribe,
		int64(f.From), to, f.IDs, f.Nodes, coinbase, afterEpoch, afterID, limit, offset)
	if err != nil {
		return nil, fmt.Errorf("list atxs: %w", err)
	}
	out, err := pgx.CollectRows(rows, scanListed)
	if err != nil {
		return nil, fmt.Errorf("list atxs: %w", err)
	}
	return out, nil
}

func scanListed(row pgx.CollectableRow) (a Listed, err error) {
	var id, node, coinbase []byte
	var epoch, weight, base, ticks, units int64
	if err = row.Scan(&id, &node, &epoch, &coinbase, &weight, &base, &ticks, &units); err != nil {
		return a, err
	}
	return Listed{
		ID: wire.ATXID(id), Node: wire.NodeID(node), PublishEpoch: wire.EpochID(epoch), Coinbase: wire.Address(coinbase),
		Weight: uint64(weight), Height: uint64(base) + uint64(ticks), Units: uint32(units),
	}, nil
}

// CountATXs counts the activations published in an epoch, or all if it is nil.
func CountATXs(ctx context.Context, q store.Querier, publish *wire.EpochID) (n int64, err error) {
	if err = q.QueryRow(ctx, countATXsSQL, pgx.QueryExecModeCacheDescribe, publish).Scan(&n); err != nil {
		return 0, fmt.Errorf("count atxs: %w", err)
	}
	return n, nil
}

// HighestATX is the activation with the greatest height of an identity without a
// proof against it; false if there is none.
func HighestATX(ctx context.Context, q store.Querier) (Listed, bool, error) {
	rows, err := q.Query(ctx, highestATXSQL)
	if err != nil {
		return Listed{}, false, fmt.Errorf("read highest atx: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanListed)
	if store.NotFound(err) {
		return Listed{}, false, nil
	}
	if err != nil {
		return Listed{}, false, fmt.Errorf("read highest atx: %w", err)
	}
	return a, true, nil
}

// ListProofs lists the proofs of malfeasance by identity. Nodes of any length; nil
// is all. After is the last identity of the page before; nil begins.
func ListProofs(ctx context.Context, q store.Querier, nodes [][]byte, after *wire.NodeID, limit, offset int64) ([]Evidence, error) {
	var last []byte
	if after != nil {
		last = after[:]
	}
	return evidence(ctx, q, listProofsSQL, pgx.QueryExecModeCacheDescribe, nodes, last, limit, offset)
}
