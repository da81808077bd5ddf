package activation

import (
	"context"
	_ "embed"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/checkpoint"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of checkpoints.
var (
	//go:embed checkpoint_atxs.sql
	checkpointATXsSQL string
	//go:embed checkpoint_marriages.sql
	checkpointMarriagesSQL string
	//go:embed malicious_ids.sql
	maliciousIDsSQL string
)

// CheckpointATXs reads all ATXs as checkpoint.Source wants them, row by row.
func CheckpointATXs(ctx context.Context, q store.Querier) iter.Seq2[checkpoint.ATX, error] {
	return func(yield func(checkpoint.ATX, error) bool) {
		rows, err := q.Query(ctx, checkpointATXsSQL)
		if err != nil {
			yield(checkpoint.ATX{}, fmt.Errorf("read atxs of a checkpoint: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanCheckpointATX(rows)
			if !yield(a, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(checkpoint.ATX{}, fmt.Errorf("read atxs of a checkpoint: %w", err))
		}
	}
}

func scanCheckpointATX(row pgx.Row) (a checkpoint.ATX, err error) {
	var id, commitment, marriage, node, coinbase []byte
	var nodes [][]byte
	var units []int64
	var epoch, nonce, base, ticks, sequence, effective int64
	if err = row.Scan(&id, &epoch, &commitment, &marriage, &nonce, &base, &ticks, &node, &sequence, &coinbase, &effective, &nodes, &units); err != nil {
		return a, fmt.Errorf("read atxs of a checkpoint: %w", err)
	}
	a = checkpoint.ATX{
		ID: wire.ATXID(id), PublishEpoch: wire.EpochID(epoch), VRFNonce: uint64(nonce), BaseTickHeight: uint64(base),
		TickCount: uint64(ticks), Smesher: wire.NodeID(node), Sequence: uint64(sequence), Coinbase: wire.Address(coinbase),
		NumUnits: uint32(effective), Units: make(map[wire.NodeID]uint32, len(nodes)),
	}
	copy(a.Commitment[:], commitment)
	copy(a.Marriage[:], marriage)
	for i := range nodes {
		a.Units[wire.NodeID(nodes[i])] = uint32(units[i])
	}
	return a, nil
}

// CheckpointMarriages reads all married identities.
func CheckpointMarriages(ctx context.Context, q store.Querier) ([]checkpoint.Marriage, error) {
	rows, err := q.Query(ctx, checkpointMarriagesSQL)
	if err != nil {
		return nil, fmt.Errorf("read marriages: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m checkpoint.Marriage, err error) {
		var id, node, target, signature []byte
		if err = row.Scan(&m.ID, &id, &m.Index, &node, &target, &signature); err != nil {
			return m, err
		}
		m.ATX, m.Smesher, m.MarriedTo, m.Signature = wire.ATXID(id), wire.NodeID(node), wire.NodeID(target), wire.EdSignature(signature)
		return m, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read marriages: %w", err)
	}
	return out, nil
}

// MaliciousIDs reads all identities with a proof against them.
func MaliciousIDs(ctx context.Context, q store.Querier) (map[wire.NodeID]bool, error) {
	rows, err := q.Query(ctx, maliciousIDsSQL)
	if err != nil {
		return nil, fmt.Errorf("read malicious identities: %w", err)
	}
	out := make(map[wire.NodeID]bool)
	var node []byte
	if _, err = pgx.ForEachRow(rows, []any{&node}, func() error {
		out[wire.NodeID(node)] = true
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read malicious identities: %w", err)
	}
	return out, nil
}
