package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vm/executor"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// ExecuteOptimistic applies a layer whose block holds what of the proposed
// transactions counts (spec 07 §9.3). Block and layer are stored together. If the
// layer is applied with a block that was made of the same proposal, that block is
// returned.
func (l *Ledger) ExecuteOptimistic(ctx context.Context, proposed wire.InnerBlock) (done db.Layer, block *wire.Block, err error) {
	done, err = l.change(ctx, func(tip db.Layer) (db.Layer, error) {
		layer := proposed.LayerIndex
		if layer <= tip.ID {
			have, found, err := db.LayerAt(ctx, l.db, layer)
			if err != nil {
				return db.Layer{}, err
			}
			if !found {
				return db.Layer{}, fmt.Errorf("%w: layer %v", ErrGenesis, layer)
			}
			block, err = l.madeOf(ctx, have.Block, &proposed)
			return have, err
		}
		if layer != tip.ID+1 {
			return db.Layer{}, fmt.Errorf("%w: %v, the last one is %v", ErrGap, layer, tip.ID)
		}
		effects, txs, err := l.apply(ctx, &proposed)
		if err != nil {
			return db.Layer{}, err
		}
		made := executor.BlockOf(proposed, effects)
		id, blob := made.ID(), codec.MustEncode(&made)
		block = &made
		return l.persist(ctx, tip, id, effects, txs, func(tx pgx.Tx) error {
			_, err := db.StoreBlockTx(ctx, tx, id, block, blob)
			return err
		})
	})
	return done, block, err
}

// madeOf reads an applied block and tells whether it can come of the proposed one.
func (l *Ledger) madeOf(ctx context.Context, id wire.BlockID, proposed *wire.InnerBlock) (*wire.Block, error) {
	if id == (wire.BlockID{}) {
		return nil, fmt.Errorf("%w: layer %v is empty", ErrOther, proposed.LayerIndex)
	}
	have, err := db.ReadBlock(ctx, l.db, id)
	if err != nil {
		return nil, err
	}
	if have == nil {
		return nil, fmt.Errorf("%w: %v", ErrBlock, id)
	}
	full := *proposed
	full.TxIDs = have.TxIDs
	if (&wire.Block{InnerBlock: full}).ID() != id || !within(have.TxIDs, proposed.TxIDs) {
		return nil, fmt.Errorf("%w: layer %v has %v", ErrOther, proposed.LayerIndex, id)
	}
	return have, nil
}

// within tells whether the ids are a part of a list, in its order.
func within(ids, list []wire.TransactionID) bool {
	for _, id := range list {
		if len(ids) > 0 && ids[0] == id {
			ids = ids[1:]
		}
	}
	return len(ids) == 0
}
