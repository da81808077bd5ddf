package activation

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed epoch_atxs.sql
var epochATXsSQL string

// EpochATX is what the beacon and the choice of an active set look at in an
// activation.
type EpochATX struct {
	ID       wire.ATXID
	Node     wire.NodeID
	Weight   uint64
	Units    uint32
	VRFNonce uint64
	// Received and ProofReceived are in nanoseconds since 1970.
	Received      int64
	ProofReceived int64
	// Malicious says that there is a proof against the identity.
	Malicious bool
}

// EpochATXs reads all ATXs published in an epoch, in the order of the feed.
func EpochATXs(ctx context.Context, q store.Querier, publish wire.EpochID) ([]EpochATX, error) {
	rows, err := q.Query(ctx, epochATXsSQL, int64(publish))
	if err != nil {
		return nil, fmt.Errorf("read atxs of epoch %d: %w", publish, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a EpochATX, err error) {
		var id, node []byte
		var weight, units, nonce int64
		if err = row.Scan(&id, &node, &weight, &units, &nonce, &a.Received, &a.ProofReceived, &a.Malicious); err != nil {
			return a, err
		}
		a.ID, a.Node = wire.ATXID(id), wire.NodeID(node)
		a.Weight, a.Units, a.VRFNonce = uint64(weight), uint32(units), uint64(nonce)
		return a, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read atxs of epoch %d: %w", publish, err)
	}
	return out, nil
}
