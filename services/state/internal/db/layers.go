package db

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL about layers and what the state started from.
var (
	//go:embed sql/read_genesis.sql
	readGenesisSQL string
	//go:embed sql/write_genesis.sql
	writeGenesisSQL string
	//go:embed sql/write_layer.sql
	writeLayerSQL string
	//go:embed sql/layer_at.sql
	layerAtSQL string
	//go:embed sql/tip.sql
	tipSQL string
	//go:embed sql/lock_layers.sql
	lockLayersSQL string
)

// Genesis is what the state started from.
type Genesis struct {
	ID wire.Hash20
	// AccountsSum is the hash of the network's genesis accounts.
	AccountsSum wire.Hash32
	// Effective is the layer that the first accounts stand for.
	Effective wire.LayerID
}

// ReadGenesis is false in an empty database.
func ReadGenesis(ctx context.Context, q store.Querier) (g Genesis, found bool, err error) {
	var id, sum []byte
	var layer int64
	err = q.QueryRow(ctx, readGenesisSQL).Scan(&id, &sum, &layer)
	if store.NotFound(err) {
		return Genesis{}, false, nil
	}
	if err != nil {
		return Genesis{}, false, fmt.Errorf("read genesis: %w", err)
	}
	return Genesis{wire.Hash20(id), wire.Hash32(sum), wire.LayerID(layer)}, true, nil
}

// WriteGenesisTx is false if there is one already.
func WriteGenesisTx(ctx context.Context, tx pgx.Tx, g Genesis) (bool, error) {
	tag, err := tx.Exec(ctx, writeGenesisSQL, g.ID[:], g.AccountsSum[:], int64(g.Effective))
	if err != nil {
		return false, fmt.Errorf("write genesis: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Layer is a layer that the accounts hold.
type Layer struct {
	ID wire.LayerID
	// Seq tells this application of the layer from a reverted one.
	Seq   int64
	Block wire.BlockID
	// Root is nil for the layer that the state started from.
	Root *wire.Hash32
	// Executed and Ineffective count the block's transactions.
	Executed, Ineffective uint32
}

// StateRoot is the root, zero where there is none.
func (l *Layer) StateRoot() wire.Hash32 {
	if l.Root == nil {
		return wire.Hash32{}
	}
	return *l.Root
}

// WriteLayerTx writes the marker of a layer and sets its Seq.
func WriteLayerTx(ctx context.Context, tx pgx.Tx, l *Layer) error {
	var root []byte
	if l.Root != nil {
		root = l.Root[:]
	}
	err := tx.QueryRow(ctx, writeLayerSQL, int64(l.ID), l.Block[:], root, int64(l.Executed), int64(l.Ineffective)).Scan(&l.Seq)
	if err != nil {
		return fmt.Errorf("write layer %v: %w", l.ID, err)
	}
	return nil
}

// ErrNoGenesis says that the database holds no state at all.
var ErrNoGenesis = errors.New("the state has not been started")

// Tip is the highest layer.
func Tip(ctx context.Context, q store.Querier) (Layer, error) {
	l, found, err := scanLayer(q.QueryRow(ctx, tipSQL))
	if err == nil && !found {
		err = ErrNoGenesis
	}
	return l, err
}

// LayerAt is false if the layer is not applied.
func LayerAt(ctx context.Context, q store.Querier, layer wire.LayerID) (Layer, bool, error) {
	return scanLayer(q.QueryRow(ctx, layerAtSQL, int64(layer)))
}

func scanLayer(row pgx.Row) (l Layer, found bool, err error) {
	var id, executed, ineffective int64
	var block, root []byte
	err = row.Scan(&id, &l.Seq, &block, &root, &executed, &ineffective)
	if store.NotFound(err) {
		return Layer{}, false, nil
	}
	if err != nil {
		return Layer{}, false, fmt.Errorf("read layer: %w", err)
	}
	l.ID, l.Block = wire.LayerID(id), wire.BlockID(block)
	l.Executed, l.Ineffective = uint32(executed), uint32(ineffective)
	if root != nil {
		r := wire.Hash32(root)
		l.Root = &r
	}
	return l, true, nil
}

// LockLayersTx makes transactions that change the applied layers wait for each
// other.
func LockLayersTx(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, lockLayersSQL); err != nil {
		return fmt.Errorf("lock layers: %w", err)
	}
	return nil
}
