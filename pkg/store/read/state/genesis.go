package state

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed genesis_id.sql
var genesisIDSQL string

// GenesisID is that of the network that the state belongs to; it is false before the
// first start.
func GenesisID(ctx context.Context, q store.Querier) (id wire.Hash20, found bool, err error) {
	var raw []byte
	err = q.QueryRow(ctx, genesisIDSQL).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, false, nil
	}
	if err != nil {
		return id, false, fmt.Errorf("read genesis id: %w", err)
	}
	if len(raw) != len(id) {
		return id, false, fmt.Errorf("read genesis id: %d bytes", len(raw))
	}
	return wire.Hash20(raw), true, nil
}
