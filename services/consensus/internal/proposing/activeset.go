package proposing

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// activeSet is the set that this node's first ballots name in an epoch: the stored
// one, or one that is chosen and stored now (spec 06 §5.2).
func (b *Builder) activeSet(ctx context.Context, id wire.EpochID, layer wire.LayerID) (*db.PreparedSet, error) {
	prepared, err := db.ReadPreparedSet(ctx, b.deps.DB, id)
	if err != nil || prepared != nil {
		return prepared, err
	}
	rows, err := activation.EpochATXs(ctx, b.deps.DB, id-1)
	if err != nil {
		return nil, err
	}
	in := proposal.ActiveSetInput{
		Start: b.clock.Start(b.params.FirstLayer(id)).UnixNano(),
		Delay: b.params.ATXGradeDelay, GoodPercent: b.params.MinerGoodATXsPercent,
	}
	for i := range rows {
		in.Candidates = append(in.Candidates, proposal.Candidate{
			ID: rows[i].ID, Weight: rows[i].Weight, Received: rows[i].Received, ProofReceived: rows[i].ProofReceived,
		})
	}
	if layer > b.params.FirstLayer(id) {
		if in.FirstBlock, err = b.deps.Node.FirstBlockSet(ctx, id); err != nil {
			b.deps.Log.Warn("no active set from the epoch's first block", "epoch", id, "err", err)
		}
	}
	set, err := proposal.ChooseActiveSet(in)
	if errors.Is(err, proposal.ErrNoActiveSet) && b.deps.Alone && len(in.Candidates) > 0 && b.begun(id) {
		b.deps.Log.Warn("too few activations came in good time; alone in the network, all of them are active", "epoch", id, "activations", len(in.Candidates))
		for i := range in.Candidates {
			in.Trusted = append(in.Trusted, in.Candidates[i].ID)
		}
		set, err = proposal.ChooseActiveSet(in)
	}
	if err != nil {
		return nil, fmt.Errorf("active set of epoch %d: %w", id, err)
	}
	if set.Weight == 0 {
		return nil, fmt.Errorf("active set of epoch %d: %w", id, proposal.ErrZeroTotalWeight)
	}
	prepared = &db.PreparedSet{Epoch: id, Hash: set.Hash, Weight: set.Weight, Set: set.Set}
	err = b.deps.Node.Write(ctx, func(tx pgx.Tx) error { return db.InsertPreparedSet(ctx, tx, prepared) })
	if err != nil {
		return nil, err
	}
	b.deps.Log.Info("active set", "epoch", id, "activations", len(set.Set), "of", len(rows), "weight", set.Weight)
	return prepared, nil
}

func (b *Builder) begun(id wire.EpochID) bool {
	return !b.deps.Now().Before(b.clock.Start(b.params.FirstLayer(id)))
}
