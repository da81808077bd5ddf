package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
	"github.com/smeshery/smeshery/services/state/internal/ledger"
)

const genesisLayer = wire.LayerID(9)

// model is the state in memory: every version of every account, applied by the
// same machine without any database.
type model struct {
	versions map[wire.Address][]wire.Account // ascending by layer
	layers   []modelLayer
	applied  map[wire.TransactionID]wire.LayerID
}

type modelLayer struct {
	block wire.BlockID
	root  wire.Hash32
}

func (m *model) Account(a wire.Address) (wire.Account, error) {
	if v := m.versions[a]; len(v) > 0 {
		return v[len(v)-1], nil
	}
	return wire.Account{Address: a}, nil
}

func (m *model) tip() wire.LayerID { return genesisLayer + wire.LayerID(len(m.layers)) }

func (m *model) apply(machine *vm.Machine, block *wire.Block, raws map[wire.TransactionID][]byte) (wire.Hash32, error) {
	in := vm.Input{Layer: m.tip() + 1}
	id := wire.BlockID{}
	if block != nil {
		id = block.ID()
		for _, tx := range block.TxIDs {
			if m.applied[tx] == 0 {
				in.Txs = append(in.Txs, vm.Tx{ID: tx, Raw: raws[tx]})
			}
		}
		for _, r := range block.Rewards {
			in.Rewards = append(in.Rewards, rewards.Share{Smesher: wire.NodeID(r.AtxID), Coinbase: coinbaseOf(r.AtxID), Num: r.Weight.Num, Denom: r.Weight.Denom})
		}
		slices.SortStableFunc(in.Rewards, func(a, b rewards.Share) int { return slices.Compare(a.Coinbase[:], b.Coinbase[:]) })
	}
	effects, err := machine.Apply(in, m)
	if err != nil {
		return wire.Hash32{}, err
	}
	for _, a := range effects.Accounts {
		m.versions[a.Address] = append(m.versions[a.Address], a)
	}
	for _, x := range effects.Executed {
		m.applied[x.ID] = in.Layer
	}
	m.layers = append(m.layers, modelLayer{id, effects.StateRoot})
	return effects.StateRoot, nil
}

func (m *model) revert(to wire.LayerID) {
	m.layers = m.layers[:to-genesisLayer]
	for a, v := range m.versions {
		m.versions[a] = slices.DeleteFunc(v, func(a wire.Account) bool { return a.Layer > to })
	}
	for id, layer := range m.applied {
		if layer > to {
			delete(m.applied, id)
		}
	}
}

// all are the versions in the order of state.AccountVersions.
func (m *model) all() (out []wire.Account) {
	for _, v := range m.versions {
		out = append(out, v...)
	}
	slices.SortFunc(out, func(a, b wire.Account) int {
		if a.Layer != b.Layer {
			return int(a.Layer) - int(b.Layer)
		}
		return slices.Compare(a.Address[:], b.Address[:])
	})
	return out
}

// coinbaseOf is where the rewards of a test's activation go.
func coinbaseOf(id wire.ATXID) (a wire.Address) {
	a[20] = id[0] % 3
	return a
}

func testMachine() *vm.Machine {
	return vm.New(vm.Params{BlockGasLimit: 1_000_000, HRP: "sm", FirstEffectiveGenesis: genesisLayer, EffectiveGenesis: genesisLayer}, signing.NewVerifier(genesisID[:]))
}

// fixture is a database with wallets of which half are spawned, and activations.
type fixture struct {
	url     string
	db      *store.DB
	model   *model
	keys    []signing.WalletKey
	wallets []wire.Address
	raws    map[wire.TransactionID][]byte
}

// scheme is what the tests' databases hold.
var scheme = []store.Schema{{Name: "state", Parts: []store.Part{db.Part(), db.ListsPart(), outbox.Part()}}, activationSchema}

func newFixture(t testing.TB) *fixture {
	f := &fixture{url: storetest.URL(t, scheme...), raws: map[wire.TransactionID][]byte{}}
	f.db = storetest.Open(t, f.url, "state")
	f.model = &model{versions: map[wire.Address][]wire.Account{}, applied: map[wire.TransactionID]wire.LayerID{}}
	accounts, _ := spends(6)
	for i := range accounts {
		var seed [32]byte
		seed[0] = byte(i)
		f.keys = append(f.keys, signing.NewWalletKey(seed))
		f.wallets = append(f.wallets, accounts[i].Address)
		accounts[i].Balance, accounts[i].NextNonce = 2_000_000, uint64(i)
		if i%2 == 1 {
			accounts[i].TemplateAddress, accounts[i].State, accounts[i].NextNonce = nil, nil, 0
		}
		f.model.versions[accounts[i].Address] = []wire.Account{accounts[i]}
	}
	require.NoError(t, ledger.Start(t.Context(), f.db, ledger.Origin{Effective: genesisLayer, Genesis: accounts}))
	activation := storetest.Open(t, f.url, "activation")
	var ids, coinbases [][]byte
	var epochs []int64
	for i := range 80 { // four for each epoch, told apart by the last byte
		id := wire.ATXID{byte(i%4 + 1)}
		coinbase := coinbaseOf(id)
		id[31] = byte(i / 4)
		ids, coinbases, epochs = append(ids, id[:]), append(coinbases, coinbase[:]), append(epochs, int64(i/4))
	}
	_, err := activation.Exec(t.Context(), `INSERT INTO atxs (id, publish_epoch, node_id, coinbase, weight, base_height, tick_count, vrf_nonce, received)
		SELECT id, epoch, id, coinbase, 0, 0, 0, 0, 0 FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS a (id, epoch, coinbase)`, ids, epochs, coinbases)
	require.NoError(t, err)
	activation.Close()
	return f
}

// draw makes a signed transaction of one of the wallets, some of them broken.
func (f *fixture) draw(t *rapid.T) []byte {
	from := rapid.IntRange(0, len(f.wallets)-1).Draw(t, "from")
	payload := vm.Payload{Nonce: rapid.Uint64Range(0, 12).Draw(t, "nonce"), GasPrice: rapid.SampledFrom([]uint64{0, 1, 1, 1, 2}).Draw(t, "price")}
	var raw []byte
	if rapid.IntRange(0, 3).Draw(t, "spawn") == 0 {
		raw = vm.SelfSpawn(vm.Wallet, &vm.WalletArgs{PublicKey: f.keys[from].PublicKey()}, payload)
	} else {
		to := rapid.SampledFrom(append(slices.Clone(f.wallets), wire.Address{23: 200})).Draw(t, "to")
		raw = vm.Spend(f.wallets[from], vm.SpendArgs{To: to, Amount: rapid.Uint64Range(0, 500_000).Draw(t, "amount")}, payload)
	}
	signature := f.keys[from].SignTransaction(genesisID[:], raw)
	if rapid.IntRange(0, 9).Draw(t, "broken") == 0 {
		signature[0] ^= 1
	}
	return append(raw, signature[:]...)
}

// drawBlock makes a block of new and old transactions and stores it.
func (f *fixture) drawBlock(t *rapid.T, layer wire.LayerID) *wire.Block {
	block := &wire.Block{InnerBlock: wire.InnerBlock{LayerIndex: layer}}
	var rows []db.Transaction
	for range rapid.IntRange(0, 8).Draw(t, "txs") {
		raw := f.draw(t)
		id := wire.NewRawTx(raw).ID
		if slices.Contains(block.TxIDs, id) {
			continue
		}
		block.TxIDs = append(block.TxIDs, id)
		if f.raws[id] == nil {
			f.raws[id] = raw
			rows = append(rows, f.row(t, id, raw))
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "rewards") {
		id := wire.ATXID{byte(i + 1)}
		id[31] = byte(layer.Epoch(5)) - 1
		block.Rewards = append(block.Rewards, wire.AnyReward{AtxID: id, Weight: wire.RatNum{Num: rapid.Uint64Range(1, 9).Draw(t, "num"), Denom: rapid.Uint64Range(1, 9).Draw(t, "denom")}})
	}
	f.store(t, block, rows)
	return block
}

// row is a new transaction, with a header if it can be verified now.
func (f *fixture) row(t *rapid.T, id wire.TransactionID, raw []byte) db.Transaction {
	row := db.Transaction{ID: id, Raw: raw, Received: int64(len(f.raws))}
	var tx vm.Transaction
	machine := testMachine()
	if rapid.Bool().Draw(t, "received before") && machine.Parse(&tx, raw, f.model) == nil && machine.Verify(&tx) {
		header := tx.Header
		row.Header = &header
	}
	return row
}

func (f *fixture) store(t require.TestingT, block *wire.Block, rows []db.Transaction) {
	ctx := context.Background()
	require.NoError(t, store.InTx(ctx, f.db, func(tx pgx.Tx) error {
		if err := db.StoreTransactionsTx(ctx, tx, rows); err != nil {
			return err
		}
		_, err := db.StoreBlockTx(ctx, tx, block.ID(), block, codec.MustEncode(block))
		return err
	}))
}

// check compares everything that the database holds with the model.
func (f *fixture) check(t require.TestingT) {
	ctx := context.Background()
	versions, err := state.AccountVersions(ctx, f.db, 0, state.Latest)
	require.NoError(t, err)
	require.Equal(t, f.model.all(), versions)
	layers, err := state.AppliedFrom(ctx, f.db, genesisLayer+1)
	require.NoError(t, err)
	require.Len(t, layers, len(f.model.layers))
	for i, l := range layers {
		require.Equal(t, f.model.layers[i], modelLayer{l.Block, l.Root})
	}
	results, err := state.ResultsBetween(ctx, f.db, 0, state.Latest)
	require.NoError(t, err)
	require.Len(t, results, len(f.model.applied))
	for _, r := range results {
		require.Equal(t, f.model.applied[r.ID], r.Result.Layer)
	}
}

// errCrash is where a test's process dies.
var errCrash = errors.New("crash")

// TestLedgerEqualsTheMachineInMemory applies and reverts random layers, restarts
// and dies between, and compares all rows with a state in memory.
func TestLedgerEqualsTheMachineInMemory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		defer f.db.Close()
		ctx := context.Background()
		machine := testMachine()
		crash := 0 // the transaction dies at this statement; 0 is never
		l := crashingLedger(f.db, &crash)
		require.NoError(rt, l.Open(ctx))
		rt.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { f.check(t) },
			"execute": func(t *rapid.T) {
				layer := f.model.tip() + 1
				var block *wire.Block
				id := wire.BlockID{}
				if rapid.IntRange(0, 4).Draw(t, "empty") > 0 {
					block = f.drawBlock(t, layer)
					id = block.ID()
				}
				crash = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "crash")
				if crash > 0 {
					_, err := l.Execute(ctx, layer, id)
					require.ErrorIs(t, err, errCrash)
					f.check(t)
					if rapid.Bool().Draw(t, "restart") {
						l = crashingLedger(f.db, &crash)
					}
				}
				done, err := l.Execute(ctx, layer, id)
				require.NoError(t, err)
				root, err := f.model.apply(machine, block, f.raws)
				require.NoError(t, err)
				require.Equal(t, root, done.StateRoot())
				again, err := l.Execute(ctx, layer, id)
				require.NoError(t, err)
				require.Equal(t, done, again)
			},
			"revert": func(t *rapid.T) {
				to := rapid.Uint32Range(uint32(genesisLayer), uint32(f.model.tip())).Draw(t, "to")
				kept := slices.Clone(f.model.layers)
				crash = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "crash")
				if crash > 0 && wire.LayerID(to) < f.model.tip() {
					_, err := l.Revert(ctx, wire.LayerID(to))
					require.ErrorIs(t, err, errCrash)
					f.check(t)
				}
				crash = 0
				done, err := l.Revert(ctx, wire.LayerID(to))
				require.NoError(t, err)
				require.Equal(t, wire.LayerID(to), done.ID)
				f.model.revert(wire.LayerID(to))
				f.check(t)
				if rapid.Bool().Draw(t, "redo") {
					for i := int(wire.LayerID(to) - genesisLayer); i < len(kept); i++ {
						block, err := db.ReadBlock(ctx, f.db, kept[i].block)
						require.NoError(t, err)
						root, err := f.model.apply(machine, block, f.raws)
						require.NoError(t, err)
						require.Equal(t, kept[i].root, root)
						done, err := l.Execute(ctx, genesisLayer+wire.LayerID(i)+1, kept[i].block)
						require.NoError(t, err)
						require.Equal(t, root, done.StateRoot())
					}
				}
			},
			"another process": func(t *rapid.T) {
				other := crashingLedger(f.db, new(int))
				if rapid.Bool().Draw(t, "reverts") && f.model.tip() > genesisLayer {
					_, err := other.Revert(ctx, f.model.tip()-1)
					require.NoError(t, err)
					f.model.revert(f.model.tip() - 1)
					return
				}
				block := f.drawBlock(t, f.model.tip()+1)
				_, err := other.Execute(ctx, block.LayerIndex, block.ID())
				require.NoError(t, err)
				_, err = f.model.apply(machine, block, f.raws)
				require.NoError(t, err)
			},
		})
	})
}

// crashingLedger fails its writing transactions: at 1 when they begin, at 2 when
// all rows are written. It fails once.
func crashingLedger(d *store.DB, crash *int) *ledger.Ledger {
	return newLedgerWith(d, testMachine(), func(string, time.Duration) {}, func(at int) error {
		if *crash != at {
			return nil
		}
		*crash = 0
		return fmt.Errorf("%w at %d", errCrash, at)
	})
}
