package engine

import (
	"context"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// ActiveSets judges and stores sets that were fetched under their hashes (spec
// 06 §5.5). The ATXs they name are asked for when a ballot needs the weight. With
// an error of ours there are no verdicts.
func (e *Engine) ActiveSets(ctx context.Context, objects []bus.FetchedObject) ([]bus.Judgement, error) {
	out := make([]bus.Judgement, len(objects))
	var rows []db.ActiveSet
	var at []int
	for i := range objects {
		set := new(wire.EpochActiveSet)
		err := codec.Decode(objects[i].Body, set)
		if err == nil {
			err = proposal.CheckActiveSet(set.Set, objects[i].Hash)
		}
		if err != nil {
			out[i] = bus.Judgement{Verdict: bus.Reject, Reason: "active_set", Detail: err.Error()}
			continue
		}
		rows, at = append(rows, db.ActiveSet{ID: objects[i].Hash, Epoch: set.Epoch, Blob: objects[i].Body}), append(at, i)
	}
	if len(rows) > 0 {
		if err := db.InsertActiveSets(ctx, e.deps.DB, rows); err != nil {
			return nil, err
		}
	}
	for _, i := range at {
		out[i] = bus.Judgement{Verdict: bus.Accept}
	}
	return out, nil
}
