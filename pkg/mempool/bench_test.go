package mempool

import (
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// crowd is n transactions of n/perAccount accounts, in order of account and nonce.
func crowd(n, perAccount int) []Tx {
	txs := make([]Tx, n)
	for i := range txs {
		var seed [8]byte
		binary.LittleEndian.PutUint64(seed[:], uint64(i))
		txs[i] = Tx{ID: wire.TransactionID(wire.Sum(seed[:])), Received: int64(i)}
		txs[i].Header = wire.TxHeader{Nonce: uint64(i % perAccount), MaxGas: 36090, GasPrice: 1 + uint64(i)%7, MaxSpend: 1}
		binary.LittleEndian.PutUint64(txs[i].Header.Principal[4:], uint64(i/perAccount))
	}
	return txs
}

type rich struct{}

func (rich) Account(a wire.Address) (wire.Account, error) {
	return wire.Account{Address: a, Balance: 1 << 60}, nil
}

func filled(b *testing.B, txs []Tx) *Pool {
	b.Helper()
	pool := NewPool()
	for i := range txs {
		if err := pool.Add(txs[i], rich{}); err != nil {
			b.Fatal(err)
		}
	}
	return pool
}

func BenchmarkAdd100k(b *testing.B) {
	txs := crowd(100_000, 10)
	b.ReportAllocs()
	for b.Loop() {
		filled(b, txs)
	}
	b.ReportMetric(float64(len(txs)*b.N)/b.Elapsed().Seconds(), "tx/s")
}

// The sequence of a layer, from 100,000 held transactions at mainnet's gas limit.
func BenchmarkSelect100k(b *testing.B) {
	pool := filled(b, crowd(100_000, 10))
	b.ReportAllocs()
	for b.Loop() {
		if len(Select(pool.Candidates(), 100_107_000)) == 0 {
			b.Fatal("nothing selected")
		}
	}
}

// The largest block that can be encoded.
func BenchmarkBlockTxs100k(b *testing.B) {
	txs := make([]BlockTx, 0, 100_000)
	for _, tx := range crowd(100_000, 10) {
		txs = append(txs, BlockTx{Tx: tx})
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(BlockTxs(txs, [32]byte{1}, 0)) != len(txs) {
			b.Fatal("lost transactions")
		}
	}
}

// FuzzCheck judges arbitrary bytes from every source. Gossip may never blame a
// peer, only what was asked for by hash may, and nothing is stored under
// another's id.
func FuzzCheck(f *testing.F) {
	var file vectors.File
	vectors.Load(f, "txs/handler", &file)
	db := newDatabase()
	for _, raw := range file.Cases {
		var c handlerCase
		if err := json.Unmarshal(raw, &c); err != nil {
			f.Fatal(err)
		}
		for _, a := range c.Accounts {
			account := wire.Account{Balance: uint64(a.Balance), State: a.State}
			if a.Template != nil {
				template := wire.Address(a.Template)
				account.TemplateAddress = &template
			}
			db.accounts[wire.Address(a.Address)] = account
		}
		for i, m := range c.Messages {
			f.Add([]byte(m.Raw), uint8(i), i%2 == 0)
		}
	}
	machine := vm.New(vm.Params{HRP: "sm"}, signing.NewVerifier(nil))
	f.Fuzz(func(t *testing.T, raw []byte, source uint8, expected bool) {
		msg := Message{Source: Source(source % 4), Raw: raw}
		if expected {
			msg.Expected = wire.TransactionID{1}
		}
		j, err := Check(machine, msg, db)
		if err != nil {
			t.Fatal(err)
		}
		pool := NewPool()
		if j, err = pool.Receive(j, db); err != nil {
			t.Fatal(err)
		}
		if j.Verdict == 0 || (j.Verdict == Reject) && !expected {
			t.Fatal(j)
		}
		if j.Store != Absent && j.Tx.ID != wire.NewRawTx(raw).ID {
			t.Fatal("stored under another id")
		}
		if j.Store == WithHeader && msg.Source != ForBlock && !pool.Has(j.Tx.ID) {
			t.Fatal("accepted but not held")
		}
	})
}
