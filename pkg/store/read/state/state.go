package state

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
	//go:embed blocks_after.sql
	blocksAfterSQL string
	//go:embed blocks_between.sql
	blocksBetweenSQL string
	//go:embed applied_after.sql
	appliedAfterSQL string
	//go:embed last_applied.sql
	lastAppliedSQL string
	//go:embed last_block_seq.sql
	lastBlockSeqSQL string
)

// Block is what consensus needs of a stored block.
type Block struct {
	Seq    int64
	ID     wire.BlockID
	Layer  wire.LayerID
	Height uint64
}

// Vote is the form in which ballots name the block.
func (b *Block) Vote() wire.Vote { return wire.Vote{ID: b.ID, LayerID: b.Layer, Height: b.Height} }

// BlocksAfter reads the feed of blocks.
func BlocksAfter(ctx context.Context, q store.Querier, seq int64, limit int) ([]Block, error) {
	return blocks(ctx, q, blocksAfterSQL, seq, limit)
}

// BlocksBetween reads the blocks of layers from to to, both included, ascending
// by layer, height and id.
func BlocksBetween(ctx context.Context, q store.Querier, from, to wire.LayerID) ([]Block, error) {
	return blocks(ctx, q, blocksBetweenSQL, int64(from), int64(to))
}

func blocks(ctx context.Context, q store.Querier, sql string, args ...any) ([]Block, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read blocks: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Block, err error) {
		var id []byte
		var layer, height int64
		if err = row.Scan(&b.Seq, &id, &layer, &height); err == nil {
			b.ID, b.Layer, b.Height = wire.BlockID(id), wire.LayerID(layer), uint64(height)
		}
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read blocks: %w", err)
	}
	return out, nil
}

// Applied is a layer that the state holds.
type Applied struct {
	Layer wire.LayerID
	// Block is zero for an empty layer.
	Block wire.BlockID
	Root  wire.Hash32
}

// AppliedFrom reads the applied layers from one on, ascending.
func AppliedFrom(ctx context.Context, q store.Querier, from wire.LayerID) ([]Applied, error) {
	return applied(ctx, q, appliedAfterSQL, int64(from))
}

func applied(ctx context.Context, q store.Querier, sql string, args ...any) ([]Applied, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read applied layers: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Applied, err error) {
		var block, root []byte
		var layer int64
		if err = row.Scan(&layer, &block, &root); err != nil {
			return a, err
		}
		a.Layer, a.Block = wire.LayerID(layer), wire.BlockID(block)
		copy(a.Root[:], root)
		return a, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read applied layers: %w", err)
	}
	return out, nil
}

// LastApplied is the highest applied layer; it is false before the first.
func LastApplied(ctx context.Context, q store.Querier) (wire.LayerID, bool, error) {
	rows, err := q.Query(ctx, lastAppliedSQL)
	if err != nil {
		return 0, false, fmt.Errorf("read last applied layer: %w", err)
	}
	last, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*int64])
	if err != nil {
		return 0, false, fmt.Errorf("read last applied layer: %w", err)
	}
	if last == nil {
		return 0, false, nil
	}
	return wire.LayerID(*last), true, nil
}

// LastBlockSeq is the end of the feed of blocks; 0 if it is empty.
func LastBlockSeq(ctx context.Context, q store.Querier) (int64, error) {
	rows, err := q.Query(ctx, lastBlockSeqSQL)
	if err != nil {
		return 0, fmt.Errorf("read last block: %w", err)
	}
	seq, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, fmt.Errorf("read last block: %w", err)
	}
	return seq, nil
}
