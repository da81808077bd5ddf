package consensus

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed prepared_set.sql
var preparedSetSQL string

// PreparedSet reads the active set of an epoch that this node made; false if there
// is none.
func PreparedSet(ctx context.Context, q store.Querier, epoch wire.EpochID) ([]wire.ATXID, bool, error) {
	var blob []byte
	err := q.QueryRow(ctx, preparedSetSQL, int64(epoch)).Scan(&blob)
	if store.NotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read active set of epoch %d: %w", epoch, err)
	}
	var set wire.EpochActiveSet
	if err := codec.Decode(blob, &set); err != nil {
		return nil, false, fmt.Errorf("read active set of epoch %d: %w", epoch, err)
	}
	return set.Set, true, nil
}
