package activation

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed holders.sql
var holdersSQL string

// Holding is an identity of this node and who signs for it now: the name that
// requests for signatures are addressed to.
type Holding struct {
	Node   wire.NodeID
	Holder string
}

// Holders reads which identities are held, in their order.
func Holders(ctx context.Context, q store.Querier) ([]Holding, error) {
	rows, err := q.Query(ctx, holdersSQL)
	if err != nil {
		return nil, fmt.Errorf("read holders: %w", err)
	}
	var out []Holding
	var name, holder string
	_, err = pgx.ForEachRow(rows, []any{&name, &holder}, func() error {
		h := Holding{}
		h.Holder, _, _ = strings.Cut(holder, "/") // behind it stands which process it is
		if err := h.Node.UnmarshalText([]byte(strings.TrimPrefix(name, "identity/"))); err != nil {
			return fmt.Errorf("lease %q: %w", name, err)
		}
		out = append(out, h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read holders: %w", err)
	}
	return out, nil
}
