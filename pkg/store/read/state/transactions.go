package state

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of the queries about transactions and bodies.
var (
	//go:embed results_by_id.sql
	resultsByIDSQL string
	//go:embed results_between.sql
	resultsBetweenSQL string
	//go:embed results_of_account.sql
	resultsOfAccountSQL string
	//go:embed transactions_by_id.sql
	transactionsByIDSQL string
	//go:embed block_bodies.sql
	blockBodiesSQL string
)

// Result is what became of an executed transaction.
type Result struct {
	ID     wire.TransactionID
	Header wire.TxHeader
	Result wire.TransactionResult
}

// ResultsByID reads the results of those of the ids that were executed, in any
// order.
func ResultsByID(ctx context.Context, q store.Querier, ids []wire.TransactionID) ([]Result, error) {
	return results(ctx, q, resultsByIDSQL, txKeys(ids))
}

// ResultsBetween reads the results of layers from to to, both included, ascending
// by layer and id.
func ResultsBetween(ctx context.Context, q store.Querier, from, to wire.LayerID) ([]Result, error) {
	return results(ctx, q, resultsBetweenSQL, int64(from), int64(to))
}

// ResultsOfAccount reads the results of transactions that touched an account,
// ascending by layer and id.
func ResultsOfAccount(ctx context.Context, q store.Querier, a wire.Address, from, to wire.LayerID) ([]Result, error) {
	return results(ctx, q, resultsOfAccountSQL, a[:], int64(from), int64(to))
}

func results(ctx context.Context, q store.Querier, sql string, args ...any) ([]Result, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Result, err error) {
		var id, header, result []byte
		if err = row.Scan(&id, &header, &result); err != nil {
			return r, err
		}
		r.ID = wire.TransactionID(id)
		if err = codec.Decode(header, &r.Header); err != nil {
			return r, err
		}
		return r, codec.Decode(result, &r.Result)
	})
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	return out, nil
}

// Transaction is all that is known of a stored transaction.
type Transaction struct {
	ID  wire.TransactionID
	Raw []byte
	// Received is in nanoseconds since 1970.
	Received int64
	// Header is nil until the transaction was verified.
	Header *wire.TxHeader
	// Result is nil until it was executed.
	Result *wire.TransactionResult
}

// TransactionsByID reads those of the ids that are stored, in any order.
func TransactionsByID(ctx context.Context, q store.Querier, ids []wire.TransactionID) ([]Transaction, error) {
	rows, err := q.Query(ctx, transactionsByIDSQL, txKeys(ids))
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	out, err := pgx.CollectRows(rows, scanTransaction)
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	return out, nil
}

func scanTransaction(row pgx.CollectableRow) (t Transaction, err error) {
	var id, header, result []byte
	if err = row.Scan(&id, &t.Raw, &t.Received, &header, &result); err != nil {
		return t, err
	}
	t.ID = wire.TransactionID(id)
	if header != nil {
		t.Header = new(wire.TxHeader)
		if err = codec.Decode(header, t.Header); err != nil {
			return t, err
		}
	}
	if result != nil {
		t.Result = new(wire.TransactionResult)
		err = codec.Decode(result, t.Result)
	}
	return t, err
}

// BlockBodies reads the bytes of those of the blocks that are stored.
func BlockBodies(ctx context.Context, q store.Querier, ids []wire.BlockID) (map[wire.BlockID][]byte, error) {
	rows, err := q.Query(ctx, blockBodiesSQL, store.Column(ids, func(id *wire.BlockID) []byte { return id[:] }))
	if err != nil {
		return nil, fmt.Errorf("read bodies of blocks: %w", err)
	}
	out := make(map[wire.BlockID][]byte, len(ids))
	var id, blob []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &blob}, func() error {
		out[wire.BlockID(id)] = blob
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read bodies of blocks: %w", err)
	}
	return out, nil
}

func txKeys(ids []wire.TransactionID) [][]byte {
	return store.Column(ids, func(id *wire.TransactionID) []byte { return id[:] })
}
