package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// ReasonMissing says that the block waits for objects that are to be fetched.
const ReasonMissing = "missing"

// Blocks judges and stores blocks.
type Blocks struct {
	DB   *store.DB
	Pool Pool
	// Genesis is the layer up to which there are no blocks.
	Genesis wire.LayerID
	// Stored is called after a block was stored.
	Stored func()
}

// Judge answers for a block that was asked for by its id (spec 06 §10.7). What is
// accepted is stored when it returns.
func (b *Blocks) Judge(ctx context.Context, id wire.BlockID, blob []byte) (bus.Judgement, error) {
	read, err := block.Read(blob, id, b.Genesis)
	var rule *block.RuleError
	if errors.As(err, &rule) {
		verdict := bus.Reject
		if rule.Rule == block.RuleDuplicateTx {
			verdict = bus.Ignore
		}
		return bus.Judgement{Verdict: verdict, Reason: string(rule.Rule), Detail: rule.Detail}, nil
	}
	if err != nil {
		return bus.Judgement{}, err
	}
	known, err := db.ReadBlock(ctx, b.DB, id)
	if err != nil {
		return bus.Judgement{}, err
	}
	if known != nil {
		return bus.Judgement{Verdict: bus.Accept}, nil
	}
	missing, err := b.missing(ctx, read)
	if err != nil {
		return bus.Judgement{}, err
	}
	if len(missing) > 0 {
		return bus.Judgement{
			Verdict: bus.Ignore, Reason: ReasonMissing, Missing: missing,
			Detail: fmt.Sprintf("%d atxs and transactions", len(missing)),
		}, nil
	}
	if err := b.store(ctx, id, read, blob); err != nil {
		return bus.Judgement{}, err
	}
	return bus.Judgement{Verdict: bus.Accept}, nil
}

func (b *Blocks) store(ctx context.Context, id wire.BlockID, read *wire.Block, blob []byte) error {
	err := store.RetryTx(ctx, b.DB, func(tx pgx.Tx) error {
		_, err := db.StoreBlockTx(ctx, tx, id, read, blob)
		return err
	})
	if err != nil {
		return err
	}
	b.Pool.Link(read.LayerIndex, id, read.TxIDs)
	b.Stored()
	return nil
}

// missing are the objects of a block that have to be there before it is stored.
func (b *Blocks) missing(ctx context.Context, read *wire.Block) ([]bus.Missing, error) {
	atxs := make([]wire.ATXID, len(read.Rewards))
	for i := range read.Rewards {
		atxs[i] = read.Rewards[i].AtxID
	}
	found, err := activation.ATXsByID(ctx, b.DB, atxs)
	if err != nil {
		return nil, err
	}
	have := make(map[wire.ATXID]bool, len(found))
	for i := range found {
		have[found[i].ID] = true
	}
	var out []bus.Missing
	for _, id := range atxs {
		if !have[id] {
			out = append(out, bus.Missing{Kind: bus.KindATX, Hash: wire.Hash32(id)})
		}
	}
	known, err := db.KnownTransactions(ctx, b.DB, read.TxIDs)
	if err != nil {
		return nil, err
	}
	for _, id := range read.TxIDs {
		if _, ok := known[id]; !ok {
			out = append(out, bus.Missing{Kind: bus.KindTransaction, Hash: wire.Hash32(id)})
		}
	}
	return out, nil
}
