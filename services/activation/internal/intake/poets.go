package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/cores"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

// PoetItem is a PoET proof that was fetched by its reference.
type PoetItem struct {
	Ref  wire.PoetProofRef
	Blob []byte
}

// Poets verifies PoET proofs on all cores and stores the good ones (spec 03
// §17.1–17.2). Each item gets nil if its proof is stored, now or before, or the
// rule that it broke. An error of its own means that we failed.
func (in *Intake) Poets(ctx context.Context, items []PoetItem) ([]error, error) {
	stored, err := in.storedPoets(ctx, items)
	if err != nil {
		return nil, err
	}
	verdicts := make([]error, len(items))
	found := make([]*wire.PoetProofMessage, len(items))
	start := time.Now()
	err = cores.Spread(ctx, len(items), 1, func(i, _ int) {
		began := time.Now()
		_, known := stored[items[i].Ref]
		msg, isNew, err := poet.JudgeFetched(items[i].Ref, items[i].Blob, known)
		if verdicts[i] = err; isNew {
			found[i] = msg
		}
		if !known {
			in.metrics.Verified(measure.Poet, 1, time.Since(began))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("verify poet proofs: %w", err)
	}
	in.metrics.Waited(measure.Poet, time.Since(start))
	var rows []db.PoetProof
	for i, msg := range found {
		if msg == nil {
			continue
		}
		if _, twice := stored[items[i].Ref]; twice {
			continue
		}
		stored[items[i].Ref] = struct{}{}
		rows = append(rows, db.PoetProof{
			Ref: items[i].Ref, Leaves: msg.LeafCount, Statement: msg.Statement,
			ServiceID: msg.PoetServiceID, RoundID: []byte(msg.RoundID), Bytes: items[i].Blob,
		})
	}
	return verdicts, db.StorePoets(ctx, in.db, rows)
}

func (in *Intake) storedPoets(ctx context.Context, items []PoetItem) (map[wire.PoetProofRef]struct{}, error) {
	refs := make([]wire.PoetProofRef, len(items))
	for i := range items {
		refs[i] = items[i].Ref
	}
	stored := make(map[wire.PoetProofRef]struct{}, len(items))
	l := db.NewLoader()
	l.PoetRefs(refs, func(ref wire.PoetProofRef) { stored[ref] = struct{}{} })
	_, err := l.Run(ctx, in.db)
	return stored, err
}
