package state

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of the queries about rewards.
var (
	//go:embed rewards_between.sql
	rewardsBetweenSQL string
	//go:embed rewards_of_node.sql
	rewardsOfNodeSQL string
	//go:embed rewards_of_coinbase.sql
	rewardsOfCoinbaseSQL string
)

// RewardsBetween reads the rewards of layers from to to, both included, ascending
// by layer and identity.
func RewardsBetween(ctx context.Context, q store.Querier, from, to wire.LayerID) ([]wire.Reward, error) {
	return rewards(ctx, q, rewardsBetweenSQL, int64(from), int64(to))
}

// RewardsOfNode reads an identity's rewards, ascending by layer.
func RewardsOfNode(ctx context.Context, q store.Querier, node wire.NodeID, from, to wire.LayerID) ([]wire.Reward, error) {
	return rewards(ctx, q, rewardsOfNodeSQL, node[:], int64(from), int64(to))
}

// RewardsOfCoinbase reads what an account was rewarded, ascending by layer and
// identity.
func RewardsOfCoinbase(ctx context.Context, q store.Querier, coinbase wire.Address, from, to wire.LayerID) ([]wire.Reward, error) {
	return rewards(ctx, q, rewardsOfCoinbaseSQL, coinbase[:], int64(from), int64(to))
}

func rewards(ctx context.Context, q store.Querier, sql string, args ...any) ([]wire.Reward, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read rewards: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r wire.Reward, err error) {
		var layer, total, share int64
		var coinbase, node []byte
		if err = row.Scan(&layer, &total, &share, &coinbase, &node); err != nil {
			return r, err
		}
		return wire.Reward{
			Layer: wire.LayerID(layer), TotalReward: uint64(total), LayerReward: uint64(share),
			Coinbase: wire.Address(coinbase), SmesherID: wire.NodeID(node),
		}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rewards: %w", err)
	}
	return out, nil
}
