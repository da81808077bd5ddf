package apigateway_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	alpha "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/seedtest"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// payers is how many accounts submit, in turns; the mempool keeps 100 transactions
// of each.
const payers = 4000

// spawned gives n accounts coins and the wallet template, and returns their keys.
func spawned(b *testing.B, w *seedtest.World, n int) []signing.WalletKey {
	keys, addresses, states := make([]signing.WalletKey, n), make([][]byte, n), make([][]byte, n)
	template := vm.Wallet.Address()
	for i := range keys {
		var seed [32]byte
		binary.LittleEndian.PutUint64(seed[:], uint64(i)+1)
		keys[i] = signing.NewWalletKey(seed)
		key := keys[i].PublicKey()
		a := vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key})
		addresses[i], states[i] = a[:], key[:]
	}
	_, err := storetest.Open(b, w.URL, "state").Exec(b.Context(), `INSERT INTO accounts (address, layer, balance, next_nonce, template, state)
		SELECT a, $3, 1000000000000000, 0, $4, s FROM unnest($1::bytea[], $2::bytea[]) AS t (a, s)`,
		addresses, states, int64(w.Seed.Layers[0].Layer), template[:])
	require.NoError(b, err)
	return keys
}

// BenchmarkSubmit submits transactions over gRPC to the mempool, as many at a time as
// there are clients, on a Postgres that syncs its log before it answers. CPU is that
// of clients and services together, without Postgres. The goal is 1000 a second.
func BenchmarkSubmit(b *testing.B) {
	server := storetest.Server(b, b.TempDir(), nil)
	w := seedtest.StartOn(b, server.URL(server.Database()))
	keys := spawned(b, w, payers)
	g := (&gateway{World: w}).another(b)
	var next atomic.Int64
	for _, clients := range []int{1, 16, 64, 256, 4096} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { benchmarkSubmit(b, g, keys, &next, clients) })
	}
}

func benchmarkSubmit(b *testing.B, g *gateway, keys []signing.WalletKey, next *atomic.Int64, clients int) {
	genesis, to := g.Seed.GenesisID, g.Seed.Address(b, g.Seed.Smesher.Coinbase)
	first := next.Add(int64(b.N)) - int64(b.N)
	raws := make([][]byte, b.N)
	for i := range raws {
		n := int(first) + i
		key := keys[n%len(keys)]
		from := vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key.PublicKey()})
		unsigned := vm.Spend(from, vm.SpendArgs{To: to, Amount: 1}, vm.Payload{Nonce: uint64(n / len(keys)), GasPrice: 1})
		signature := key.SignTransaction(genesis, unsigned)
		raws[i] = append(unsigned, signature[:]...)
	}
	connections := make([]alpha.TransactionServiceClient, min(clients, 8))
	for i := range connections {
		connections[i] = alpha.NewTransactionServiceClient(dial(b, g.service.Addr("public").String()))
	}
	var at atomic.Int64
	var all sync.WaitGroup
	cpu, began := spent(), time.Now()
	b.ResetTimer()
	for c := range clients {
		all.Go(func() {
			for i := at.Add(1) - 1; i < int64(len(raws)); i = at.Add(1) - 1 {
				reply, err := connections[c%len(connections)].SubmitTransaction(context.Background(), &alpha.SubmitTransactionRequest{Transaction: raws[i]})
				if err != nil || wire.TransactionID(reply.TxId) != wire.NewRawTx(raws[i]).ID {
					b.Error(i, reply, err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(n/time.Since(began).Seconds(), "tx/s")
	b.ReportMetric(float64((spent()-cpu).Microseconds())/n, "cpu-us/tx")
	b.ReportMetric(0, "ns/op")
}

// spent is the time that this process had a core for.
func spent() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
