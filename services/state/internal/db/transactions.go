package db

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/vm/executor"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL about transactions.
var (
	//go:embed sql/store_transactions.sql
	storeTransactionsSQL string
	//go:embed sql/transaction_states.sql
	transactionStatesSQL string
	//go:embed sql/load_transactions.sql
	loadTransactionsSQL string
)

// Transaction is a transaction to be stored.
type Transaction struct {
	ID  wire.TransactionID
	Raw []byte
	// Received is in nanoseconds since 1970.
	Received int64
	// Submitted says that a client of this node gave it.
	Submitted bool
	// Header is nil if it was not verified.
	Header *wire.TxHeader
}

// StoreTransactionsTx stores transactions, each once; one that is stored without
// a header gets it. No id may occur twice.
func StoreTransactionsTx(ctx context.Context, tx pgx.Tx, txs []Transaction) error {
	if len(txs) == 0 {
		return nil
	}
	// One order for all writers, so that they cannot deadlock.
	txs = slices.Clone(txs)
	slices.SortFunc(txs, func(a, b Transaction) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	_, err := tx.Exec(ctx, storeTransactionsSQL,
		store.Column(txs, func(t *Transaction) []byte { return t.ID[:] }),
		store.Column(txs, func(t *Transaction) []byte { return t.Raw }),
		store.Column(txs, func(t *Transaction) int64 { return t.Received }),
		store.Column(txs, func(t *Transaction) bool { return t.Submitted }),
		store.Column(txs, func(t *Transaction) []byte { return headerColumn(t, codec.MustEncode) }),
		store.Column(txs, func(t *Transaction) []byte {
			return headerColumn(t, func(codec.Coded) []byte { return t.Header.Principal[:] })
		}),
		store.Column(txs, func(t *Transaction) *int64 {
			if t.Header == nil {
				return nil
			}
			nonce := int64(t.Header.Nonce)
			return &nonce
		}))
	if err != nil {
		return fmt.Errorf("store %d transactions: %w", len(txs), err)
	}
	return nil
}

// headerColumn is null without a header.
func headerColumn(t *Transaction, value func(codec.Coded) []byte) []byte {
	if t.Header == nil {
		return nil
	}
	return value(t.Header)
}

// Known is what is stored of a transaction.
type Known struct {
	Stored    mempool.Stored
	Submitted bool
}

// KnownTransactions reads what is stored of transactions; absent ones are left
// out.
func KnownTransactions(ctx context.Context, q store.Querier, ids []wire.TransactionID) (map[wire.TransactionID]Known, error) {
	out := make(map[wire.TransactionID]Known)
	rows, err := q.Query(ctx, transactionStatesSQL, txKeys(ids))
	if err != nil {
		return nil, fmt.Errorf("look up transactions: %w", err)
	}
	var id pgtype.DriverBytes
	var header, submitted, applied bool
	_, err = pgx.ForEachRow(rows, []any{&id, &header, &submitted, &applied}, func() error {
		out[wire.TransactionID(id)] = Known{storedAs(header, applied), submitted}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up transactions: %w", err)
	}
	return out, nil
}

func storedAs(header, applied bool) mempool.Stored {
	switch {
	case applied:
		return mempool.Applied
	case header:
		return mempool.WithHeader
	}
	return mempool.Raw
}

// LoadTransactions reads transactions for execution into out, which is parallel
// to ids; absent ones have no raw bytes there.
func LoadTransactions(ctx context.Context, q store.Querier, ids []wire.TransactionID, out []executor.StoredTx) error {
	places := make(map[wire.TransactionID]int, len(ids))
	for i, id := range ids {
		places[id] = i
	}
	rows, err := q.Query(ctx, loadTransactionsSQL, txKeys(ids))
	if err != nil {
		return fmt.Errorf("load transactions: %w", err)
	}
	var id, raw pgtype.DriverBytes
	var header, applied bool
	_, err = pgx.ForEachRow(rows, []any{&id, &raw, &header, &applied}, func() error {
		out[places[wire.TransactionID(id)]] = executor.StoredTx{
			Raw: append(make([]byte, 0, len(raw)), raw...), Verified: header, Applied: applied,
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load transactions: %w", err)
	}
	return nil
}

func txKeys(ids []wire.TransactionID) [][]byte {
	return store.Column(ids, func(id *wire.TransactionID) []byte { return id[:] })
}
