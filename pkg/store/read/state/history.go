package state

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of what users look up of the past.
var (
	//go:embed principal_transactions.sql
	principalTransactionsSQL string
	//go:embed results_page.sql
	resultsPageSQL string
	//go:embed results_page_of_account.sql
	resultsPageOfAccountSQL string
	//go:embed block_members.sql
	blockMembersSQL string
	//go:embed applied_between.sql
	appliedBetweenSQL string
	//go:embed count_rewards_of_coinbase.sql
	countRewardsOfCoinbaseSQL string
	//go:embed rewards_page_of_coinbase.sql
	rewardsPageOfCoinbaseSQL string
)

// PrincipalTransaction is a transaction that an account pays for, or would.
type PrincipalTransaction struct {
	ID     wire.TransactionID
	Header wire.TxHeader
	// Layer is 0 while it is not executed.
	Layer    wire.LayerID
	received int64
}

// TransactionsOfPrincipal reads what an account sent: executed in layers from to
// to, both included, or not executed; ascending by nonce, then by layer with those
// that are not executed last.
func TransactionsOfPrincipal(ctx context.Context, q store.Querier, a wire.Address, from, to wire.LayerID) ([]PrincipalTransaction, error) {
	rows, err := q.Query(ctx, principalTransactionsSQL, a[:], int64(from), int64(to))
	if err != nil {
		return nil, fmt.Errorf("read transactions of a principal: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t PrincipalTransaction, err error) {
		var id, header []byte
		var layer int64
		if err = row.Scan(&id, &header, &layer, &t.received); err != nil {
			return t, err
		}
		t.ID, t.Layer = wire.TransactionID(id), wire.LayerID(layer)
		return t, codec.Decode(header, &t.Header)
	})
	if err != nil {
		return nil, fmt.Errorf("read transactions of a principal: %w", err)
	}
	slices.SortFunc(out, func(a, b PrincipalTransaction) int {
		return cmp.Or(
			cmp.Compare(a.Header.Nonce, b.Header.Nonce),
			cmp.Compare(a.Layer-1, b.Layer-1), // 0 wraps to the end
			cmp.Compare(a.received, b.received),
			slices.Compare(a.ID[:], b.ID[:]),
		)
	})
	return out, nil
}

// ResultsPage reads executed transactions with their bytes, ascending by layer and
// id, of layers from to to, both included, behind an id of the first of these
// layers: zero begins with it. A nil account is any, else the transaction must have
// touched it.
func ResultsPage(
	ctx context.Context, q store.Querier, account *wire.Address, from, to wire.LayerID, after wire.TransactionID, limit int,
) ([]Transaction, error) {
	args := []any{int64(from), int64(to), after[:], limit}
	sql := resultsPageSQL
	if after == (wire.TransactionID{}) {
		args[2] = []byte{} // before any id
	}
	if account != nil {
		sql, args = resultsPageOfAccountSQL, append(args, account[:])
	}
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read a page of results: %w", err)
	}
	out, err := pgx.CollectRows(rows, scanTransaction)
	if err != nil {
		return nil, fmt.Errorf("read a page of results: %w", err)
	}
	return out, nil
}

// BlockMembers reads which of the transactions are in a stored block of a layer.
func BlockMembers(ctx context.Context, q store.Querier, layer wire.LayerID, ids []wire.TransactionID) (map[wire.TransactionID]bool, error) {
	rows, err := q.Query(ctx, blockMembersSQL, txKeys(ids), int64(layer))
	if err != nil {
		return nil, fmt.Errorf("read members of blocks: %w", err)
	}
	out := make(map[wire.TransactionID]bool)
	var id []byte
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		out[wire.TransactionID(id)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read members of blocks: %w", err)
	}
	return out, nil
}

// AppliedBetween reads the applied layers from one to another, both included.
func AppliedBetween(ctx context.Context, q store.Querier, from, to wire.LayerID) ([]Applied, error) {
	return applied(ctx, q, appliedBetweenSQL, int64(from), int64(to))
}

// CountRewardsOfCoinbase counts what RewardsPageOfCoinbase can give.
func CountRewardsOfCoinbase(ctx context.Context, q store.Querier, coinbase wire.Address) (n int64, err error) {
	if err = q.QueryRow(ctx, countRewardsOfCoinbaseSQL, coinbase[:]).Scan(&n); err != nil {
		return 0, fmt.Errorf("count rewards: %w", err)
	}
	return n, nil
}

// RewardsPageOfCoinbase reads some of what an account was rewarded, ascending by
// layer and identity.
func RewardsPageOfCoinbase(ctx context.Context, q store.Querier, coinbase wire.Address, offset, limit int64) ([]wire.Reward, error) {
	return rewards(ctx, q, rewardsPageOfCoinbaseSQL, coinbase[:], offset, limit)
}
