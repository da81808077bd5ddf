package db

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL that writes and undoes what layers do.
var (
	//go:embed sql/revert_accounts.sql
	revertAccountsSQL string
	//go:embed sql/revert_rewards.sql
	revertRewardsSQL string
	//go:embed sql/revert_results.sql
	revertResultsSQL string
	//go:embed sql/revert_layers.sql
	revertLayersSQL string
	//go:embed sql/reverted_without_header.sql
	revertedWithoutHeaderSQL string
)

// Statements of COPY; their columns stand in the functions below.
const (
	copyAccountsSQL = "COPY accounts (address, layer, balance, next_nonce, template, state) FROM STDIN BINARY"
	copyResultsSQL  = "COPY results (id, layer, block, header, result, addresses) FROM STDIN BINARY"
	copyRewardsSQL  = "COPY rewards (node_id, layer, coinbase, total_reward, layer_reward) FROM STDIN BINARY"
)

// WriteAccountsTx adds account versions.
func WriteAccountsTx(ctx context.Context, tx pgx.Tx, accounts []wire.Account) error {
	if len(accounts) == 0 {
		return nil
	}
	return copyTx(ctx, tx, copyAccountsSQL, ascending(accounts, func(a *wire.Account) []byte { return a.Address[:] }), func(r *rowBuffer, i int) error {
		a := &accounts[i]
		r.row(6)
		r.bytes(a.Address[:])
		r.bigint(uint64(a.Layer))
		r.bigint(a.Balance)
		r.bigint(a.NextNonce)
		if a.TemplateAddress == nil {
			r.null()
		} else {
			r.bytes(a.TemplateAddress[:])
		}
		r.bytes(a.State)
		return nil
	})
}

// WriteEffectsTx adds what a layer did, except its marker.
func WriteEffectsTx(ctx context.Context, tx pgx.Tx, e *vm.Effects) error {
	if err := WriteAccountsTx(ctx, tx, e.Accounts); err != nil {
		return err
	}
	if err := writeResultsTx(ctx, tx, e.Executed); err != nil {
		return err
	}
	if len(e.Rewards) == 0 {
		return nil
	}
	return copyTx(ctx, tx, copyRewardsSQL, slices.Values(e.Rewards), func(r *rowBuffer, w wire.Reward) error {
		r.row(5)
		r.bytes(w.SmesherID[:])
		r.bigint(uint64(w.Layer))
		r.bytes(w.Coinbase[:])
		r.bigint(w.TotalReward)
		r.bigint(w.LayerReward)
		return nil
	})
}

func writeResultsTx(ctx context.Context, tx pgx.Tx, executed []vm.Executed) error {
	if len(executed) == 0 {
		return nil
	}
	return copyTx(ctx, tx, copyResultsSQL, ascending(executed, func(x *vm.Executed) []byte { return x.ID[:] }), func(r *rowBuffer, i int) error {
		x := &executed[i]
		r.row(6)
		r.bytes(x.ID[:])
		r.bigint(uint64(x.Result.Layer))
		r.bytes(x.Result.Block[:])
		if err := r.encoded(func(b []byte) ([]byte, error) { return codec.Append(b, &x.Header) }); err != nil {
			return err
		}
		if err := r.encoded(func(b []byte) ([]byte, error) { return codec.Append(b, &x.Result) }); err != nil {
			return err
		}
		r.array(len(x.Result.Addresses), func(i int) []byte { return x.Result.Addresses[i][:] })
		return nil
	})
}

// ascending are the indices of rows in the order of their keys: an index that is
// filled in its own order costs a fraction of one that is filled at random.
func ascending[T any](rows []T, key func(*T) []byte) iter.Seq[int] {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(key(&rows[a]), key(&rows[b])) })
	return slices.Values(order)
}

// RevertTx undoes all layers above to. Transactions that were verified only when
// they were executed keep that knowledge.
func RevertTx(ctx context.Context, tx pgx.Tx, to wire.LayerID) error {
	if err := keepHeadersTx(ctx, tx, to); err != nil {
		return err
	}
	for _, sql := range []string{revertAccountsSQL, revertRewardsSQL, revertResultsSQL, revertLayersSQL} {
		if _, err := tx.Exec(ctx, sql, int64(to)); err != nil {
			return fmt.Errorf("revert to layer %v: %w", to, err)
		}
	}
	return nil
}

func keepHeadersTx(ctx context.Context, tx pgx.Tx, to wire.LayerID) error {
	rows, err := tx.Query(ctx, revertedWithoutHeaderSQL, int64(to))
	if err != nil {
		return fmt.Errorf("read headers of reverted transactions: %w", err)
	}
	kept, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h Header, err error) {
		var id, header []byte
		if err = row.Scan(&id, &header); err != nil {
			return h, err
		}
		h.ID = wire.TransactionID(id)
		return h, codec.Decode(header, &h.Header)
	})
	if err != nil {
		return fmt.Errorf("read headers of reverted transactions: %w", err)
	}
	return SetHeadersTx(ctx, tx, kept)
}

// Header is what a transaction turned out to say.
type Header struct {
	ID     wire.TransactionID
	Header wire.TxHeader
}

//go:embed sql/set_headers.sql
var setHeadersSQL string

// SetHeadersTx notes headers of transactions that have none.
func SetHeadersTx(ctx context.Context, tx pgx.Tx, headers []Header) error {
	if len(headers) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, setHeadersSQL,
		store.Column(headers, func(h *Header) []byte { return h.ID[:] }),
		store.Column(headers, func(h *Header) []byte { return codec.MustEncode(&h.Header) }),
		store.Column(headers, func(h *Header) []byte { return h.Header.Principal[:] }),
		store.Column(headers, func(h *Header) int64 { return int64(h.Header.Nonce) }))
	if err != nil {
		return fmt.Errorf("store headers: %w", err)
	}
	return nil
}
