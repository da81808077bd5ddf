package db

import (
	"context"
	_ "embed"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL about blocks.
var (
	//go:embed sql/lock_blocks.sql
	lockBlocksSQL string
	//go:embed sql/store_block.sql
	storeBlockSQL string
	//go:embed sql/read_block.sql
	readBlockSQL string
)

const copyLinksSQL = "COPY block_transactions (id, layer, block) FROM STDIN BINARY"

// StoreBlockTx stores a block under the next number of the feed; false says that
// it was there. The lock is held to the end of the transaction, so that nobody
// sees a number before all lower ones.
func StoreBlockTx(ctx context.Context, tx pgx.Tx, id wire.BlockID, block *wire.Block, blob []byte) (bool, error) {
	if _, err := tx.Exec(ctx, lockBlocksSQL); err != nil {
		return false, fmt.Errorf("store block %v: %w", id, err)
	}
	tag, err := tx.Exec(ctx, storeBlockSQL, id[:], int64(block.LayerIndex), int64(block.TickHeight), blob)
	if err != nil {
		return false, fmt.Errorf("store block %v: %w", id, err)
	}
	if tag.RowsAffected() == 0 || len(block.TxIDs) == 0 {
		return tag.RowsAffected() == 1, nil
	}
	return true, copyTx(ctx, tx, copyLinksSQL, slices.Values(block.TxIDs), func(r *rowBuffer, t wire.TransactionID) error {
		r.row(3)
		r.bytes(t[:])
		r.bigint(uint64(block.LayerIndex))
		r.bytes(id[:])
		return nil
	})
}

// ReadBlock returns nil if the block is not stored.
func ReadBlock(ctx context.Context, q store.Querier, id wire.BlockID) (*wire.Block, error) {
	var blob []byte
	err := q.QueryRow(ctx, readBlockSQL, id[:]).Scan(&blob)
	if store.NotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read block %v: %w", id, err)
	}
	var b wire.Block
	if err := codec.Decode(blob, &b); err != nil {
		return nil, fmt.Errorf("stored block %v: %w", id, err)
	}
	return &b, nil
}
