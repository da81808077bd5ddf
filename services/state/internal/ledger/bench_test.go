package ledger_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
	"github.com/smeshery/smeshery/services/state/internal/ledger"
	"github.com/smeshery/smeshery/services/state/internal/pool"
)

var genesisID = wire.Hash20{7}

// spends are n wallets, and transactions in which each pays the next one.
func spends(n int) ([]wire.Account, [][]byte) {
	template := vm.Wallet.Address()
	accounts, raws := make([]wire.Account, n), make([][]byte, n)
	keys := make([]signing.WalletKey, n)
	parallel(n, func(i int) {
		var seed [32]byte
		binary.LittleEndian.PutUint64(seed[:], uint64(i))
		keys[i] = signing.NewWalletKey(seed)
		key := keys[i].PublicKey()
		accounts[i] = wire.Account{
			Address: vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key}),
			Balance: 1e12, NextNonce: 1, TemplateAddress: &template, State: key[:],
		}
	})
	parallel(n, func(i int) {
		unsigned := vm.Spend(accounts[i].Address, vm.SpendArgs{To: accounts[(i+1)%n].Address, Amount: 1000}, vm.Payload{Nonce: 1, GasPrice: 1})
		signature := keys[i].SignTransaction(genesisID[:], unsigned)
		raws[i] = append(unsigned, signature[:]...)
	})
	return accounts, raws
}

func parallel(n int, f func(int)) {
	var all sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for c := range cores {
		all.Go(func() {
			for i := c; i < n; i += cores {
				f(i)
			}
		})
	}
	all.Wait()
}

// BenchmarkExecute100kSpends executes a block of 100,000 spends over 100,000
// accounts on Postgres: the block, its transactions and its accounts are read from
// the database, signatures are checked, everything is written and committed. The
// goal is 4 s on two cores. In "verified" the signatures were checked at reception.
func BenchmarkExecute100kSpends(b *testing.B) {
	const n = 100_000
	accounts, raws := spends(n)
	for _, mode := range []string{"unverified", "verified"} {
		b.Run(mode, func(b *testing.B) { benchmarkExecute(b, accounts, raws, mode == "verified") })
	}
}

func benchmarkExecute(b *testing.B, accounts []wire.Account, raws [][]byte, verified bool) {
	const genesis = 9
	ctx := context.Background()
	// A server with its durable settings, not the tests' forgetful one.
	server := storetest.Server(b, b.TempDir(), nil)
	url := server.URL(server.Database())
	require.NoError(b, store.Migrate(ctx, url, scheme...))
	d := storetest.Open(b, url, "state")
	require.NoError(b, ledger.Start(ctx, d, ledger.Origin{Effective: genesis, Genesis: accounts}))
	block := storeBlock(b, d, genesis+1, raws, verified)
	phases := map[string]time.Duration{}
	var took time.Duration
	for b.Loop() {
		l := newLedger(d, func(phase string, t time.Duration) { phases[phase] += t })
		require.NoError(b, l.Open(ctx))
		started := time.Now()
		done, err := l.Execute(ctx, genesis+1, block)
		took += time.Since(started)
		if err != nil || int(done.Executed) != len(raws) {
			b.Fatal(err, done)
		}
		b.StopTimer()
		_, err = l.Revert(ctx, genesis)
		require.NoError(b, err)
		b.StartTimer()
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/block")
	for phase, t := range phases {
		b.ReportMetric(t.Seconds()/float64(b.N), "s/"+phase)
	}
}

func newLedger(d *store.DB, observe func(string, time.Duration)) *ledger.Ledger {
	machine := vm.New(vm.Params{BlockGasLimit: 1<<64 - 1, HRP: "sm", FirstEffectiveGenesis: 9, EffectiveGenesis: 9}, signing.NewVerifier(genesisID[:]))
	return newLedgerWith(d, machine, observe, func(int) error { return nil })
}

// newLedgerWith calls fail twice in each writing transaction: with 1 when it
// begins, with 2 when all rows but the event are written.
func newLedgerWith(d *store.DB, machine *vm.Machine, observe func(string, time.Duration), fail func(int) error) *ledger.Ledger {
	return ledger.New(ledger.Config{Machine: machine, LayersPerEpoch: 5, Accounts: 400_000}, ledger.Deps{
		DB: d, Log: slog.New(slog.DiscardHandler), Hooks: pool.New(d, machine.Params().BlockGasLimit), Observe: observe,
		Fence: func(context.Context, pgx.Tx) error { return fail(1) },
		Events: func(id string, body events.Body) (bus.Outgoing, error) {
			return bus.Outgoing{Subject: "events.state." + body.Kind(), Body: []byte(id)}, fail(2)
		},
	})
}

// storeBlock stores transactions and a block of them, as intake does.
func storeBlock(b *testing.B, d *store.DB, layer wire.LayerID, raws [][]byte, verified bool) wire.BlockID {
	block := wire.Block{InnerBlock: wire.InnerBlock{LayerIndex: layer}}
	rows := make([]db.Transaction, len(raws))
	for i, raw := range raws {
		rows[i] = db.Transaction{ID: wire.NewRawTx(raw).ID, Raw: raw}
		if verified {
			rows[i].Header = &wire.TxHeader{Principal: wire.Address(raw[1:25]), Nonce: 1}
		}
		block.TxIDs = append(block.TxIDs, rows[i].ID)
	}
	require.NoError(b, store.InTx(b.Context(), d, func(tx pgx.Tx) error {
		if err := db.StoreTransactionsTx(b.Context(), tx, rows); err != nil {
			return err
		}
		_, err := db.StoreBlockTx(b.Context(), tx, block.ID(), &block, codec.MustEncode(&block))
		return err
	}))
	return block.ID()
}
