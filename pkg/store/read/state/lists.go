package state

import (
	"context"
	_ "embed"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of lists. They are planned for their arguments every time, so that an
// absent filter costs nothing.
var (
	//go:embed list_rewards_asc.sql
	listRewardsAscSQL string
	//go:embed list_rewards_desc.sql
	listRewardsDescSQL string
	//go:embed list_accounts_recent.sql
	listAccountsRecentSQL string
	//go:embed list_accounts_all.sql
	listAccountsAllSQL string
)

// Page is a part of a list.
type Page struct {
	// Limit is the most rows, Offset how many are left out before them.
	Limit, Offset int64
	// Descending turns the list around.
	Descending bool
}

// Range is layers From to To, both included.
type Range struct{ From, To wire.LayerID }

// Everything is the range of all layers.
func Everything() Range { return Range{0, math.MaxUint32} }

// RewardFilter chooses rewards; what is nil chooses all.
type RewardFilter struct {
	Layers Range
	// Coinbase and Node are ids of any length; one of a wrong length matches
	// nothing.
	Coinbase, Node []byte
	// After is the last reward of the page before; nil begins.
	After *wire.Reward
}

// ListRewards lists rewards by layer, and by coinbase and identity within one.
func ListRewards(ctx context.Context, q store.Querier, f RewardFilter, p Page) ([]wire.Reward, error) {
	sql := listRewardsAscSQL
	if p.Descending {
		sql = listRewardsDescSQL
	}
	var layer *int64
	var coinbase, node []byte
	if f.After != nil {
		l := int64(f.After.Layer)
		layer, coinbase, node = &l, f.After.Coinbase[:], f.After.SmesherID[:]
	}
	return rewards(ctx, q, sql, pgx.QueryExecModeCacheDescribe, int64(f.Layers.From), int64(f.Layers.To),
		f.Coinbase, f.Node, layer, coinbase, node, p.Limit, p.Offset)
}

// recentFactor and recentLeast say how many versions are looked at for a page of
// accounts before all accounts are. Versions that are not an account's newest
// are rare among the last ones where there are many accounts.
const (
	recentFactor = 4
	recentLeast  = 1000
)

// ListAccounts lists the newest versions of all accounts, the last changed first,
// ties ascending by address.
func ListAccounts(ctx context.Context, q store.Querier, p Page) ([]wire.Account, error) {
	if p.Offset < math.MaxInt32 {
		budget := (p.Limit+p.Offset)*recentFactor + recentLeast
		out, err := accounts(ctx, q, int(p.Limit), listAccountsRecentSQL, pgx.QueryExecModeCacheDescribe, p.Limit, p.Offset, budget)
		if err != nil || int64(len(out)) == p.Limit {
			return out, err
		}
	}
	return accounts(ctx, q, int(p.Limit), listAccountsAllSQL, pgx.QueryExecModeCacheDescribe, p.Limit, p.Offset)
}

// TransactionFilter chooses transactions; what is nil chooses all.
type TransactionFilter struct {
	// From and To are bounds that transactions without a layer never meet.
	From, To *wire.LayerID
	// IDs of any length; nil is all.
	IDs [][]byte
	// Address chooses transactions whose execution touched the account.
	Address *wire.Address
}

func (f *TransactionFilter) layers() Range {
	r := Everything()
	if f.From != nil {
		r.From = *f.From
	}
	if f.To != nil {
		r.To = *f.To
	}
	return r
}

// executedOnly says that no transaction without a layer can match.
func (f *TransactionFilter) executedOnly() bool {
	return f.From != nil || f.To != nil || f.Address != nil
}

// SQL of the list of transactions.
var (
	//go:embed list_executed_asc.sql
	listExecutedAscSQL string
	//go:embed list_executed_desc.sql
	listExecutedDescSQL string
	//go:embed list_touched_asc.sql
	listTouchedAscSQL string
	//go:embed list_touched_desc.sql
	listTouchedDescSQL string
	//go:embed walk_executed_asc.sql
	walkExecutedAscSQL string
	//go:embed walk_executed_desc.sql
	walkExecutedDescSQL string
	//go:embed list_waiting.sql
	listWaitingSQL string
	//go:embed list_chosen_asc.sql
	listChosenAscSQL string
	//go:embed list_chosen_desc.sql
	listChosenDescSQL string
	//go:embed count_waiting.sql
	countWaitingSQL string
	//go:embed count_executed.sql
	countExecutedSQL string
)

// ListTransactions lists transactions by layer, those without one before the
// first, and ascending by id within a layer. Whoever wants a page that is true
// for one moment passes a repeatable-read transaction.
func ListTransactions(ctx context.Context, q store.Querier, f TransactionFilter, p Page) ([]Transaction, error) {
	switch {
	case f.IDs != nil:
		return chosen(ctx, q, f, p)
	case f.executedOnly():
		return executed(ctx, q, f, p)
	case p.Descending:
		return executedFirst(ctx, q, f, p)
	}
	return waitingFirst(ctx, q, f, p)
}

func chosen(ctx context.Context, q store.Querier, f TransactionFilter, p Page) ([]Transaction, error) {
	sql := listChosenAscSQL
	if p.Descending {
		sql = listChosenDescSQL
	}
	var address []byte
	if f.Address != nil {
		address = f.Address[:]
	}
	return transactions(ctx, q, sql, f.IDs, f.From, f.To, address, p.Limit, p.Offset)
}

// walked is how many transactions are looked at for those of an account before
// all of the account's are looked up: busy accounts are found on the way.
const walked = 4000

func executed(ctx context.Context, q store.Querier, f TransactionFilter, p Page) ([]Transaction, error) {
	r := f.layers()
	if f.Address != nil {
		return touched(ctx, q, r, f.Address[:], p)
	}
	sql := listExecutedAscSQL
	if p.Descending {
		sql = listExecutedDescSQL
	}
	return transactions(ctx, q, sql, int64(r.From), int64(r.To), p.Limit, p.Offset)
}

// touched lists what an account took part in.
func touched(ctx context.Context, q store.Querier, r Range, address []byte, p Page) ([]Transaction, error) {
	sql, walk := listTouchedAscSQL, walkExecutedAscSQL
	if p.Descending {
		sql, walk = listTouchedDescSQL, walkExecutedDescSQL
	}
	if p.Offset < walked {
		out, err := transactions(ctx, q, walk, int64(r.From), int64(r.To), address, p.Limit, p.Offset, walked)
		if err != nil || int64(len(out)) == p.Limit {
			return out, err
		}
	}
	return transactions(ctx, q, sql, int64(r.From), int64(r.To), address, p.Limit, p.Offset)
}

// waitingFirst is the ascending list: what waits, then what was executed.
func waitingFirst(ctx context.Context, q store.Querier, f TransactionFilter, p Page) ([]Transaction, error) {
	out, err := transactions(ctx, q, listWaitingSQL, p.Limit, p.Offset)
	if err != nil || int64(len(out)) == p.Limit {
		return out, err
	}
	rest := Page{Limit: p.Limit - int64(len(out))}
	if rest.Offset, err = remaining(ctx, q, len(out), p.Offset, countWaitingSQL); err != nil {
		return nil, err
	}
	more, err := executed(ctx, q, f, rest)
	return append(out, more...), err
}

// executedFirst is the descending list: what was executed, then what waits.
func executedFirst(ctx context.Context, q store.Querier, f TransactionFilter, p Page) ([]Transaction, error) {
	out, err := executed(ctx, q, f, p)
	if err != nil || int64(len(out)) == p.Limit {
		return out, err
	}
	r, limit := f.layers(), p.Limit-int64(len(out))
	offset, err := remaining(ctx, q, len(out), p.Offset, countExecutedSQL, int64(r.From), int64(r.To))
	if err != nil {
		return nil, err
	}
	more, err := transactions(ctx, q, listWaitingSQL, limit, offset)
	return append(out, more...), err
}

// remaining is what is left of an offset after the first part of a list, of which
// got rows were on the page.
func remaining(ctx context.Context, q store.Querier, got int, offset int64, countSQL string, args ...any) (int64, error) {
	if got > 0 || offset == 0 {
		return 0, nil
	}
	var n int64
	if err := q.QueryRow(ctx, countSQL, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count transactions: %w", err)
	}
	return max(0, offset-n), nil
}

func transactions(ctx context.Context, q store.Querier, sql string, args ...any) ([]Transaction, error) {
	rows, err := q.Query(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("list transactions: %w", err)
	}
	out, err := pgx.CollectRows(rows, scanTransaction)
	if err != nil {
		return nil, fmt.Errorf("list transactions: %w", err)
	}
	return out, nil
}
