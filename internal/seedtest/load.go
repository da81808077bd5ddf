package seedtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation"
	"github.com/smeshery/smeshery/services/consensus"
	"github.com/smeshery/smeshery/services/state"
)

// Schemas are those of the services whose rows the API reads.
func Schemas() []store.Schema {
	return []store.Schema{activation.Schema(), consensus.Schema(), state.Schema()}
}

// Database makes a database with the seed's rows and returns how to connect to
// it as superuser. It ends with the test.
func (s *Seed) Database(t testing.TB) string {
	t.Helper()
	url := storetest.URL(t, Schemas()...)
	s.fill(t, url)
	return url
}

// fill writes the rows into migrated schemas.
func (s *Seed) fill(t testing.TB, url string) {
	t.Helper()
	l := loader{TB: t, seed: s}
	for _, part := range []struct {
		schema string
		load   func()
	}{
		{"state", l.state}, {"consensus", l.consensus}, {"activation", l.activation},
	} {
		l.db = storetest.Open(t, url, part.schema)
		part.load()
		l.db.Close()
	}
}

// Reader is the pool that the gateway gets: it may read everything.
func Reader(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: url, ReadOnly: true, MaxConns: 16})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// loader writes through a pool whose search path is the schema it acts for.
type loader struct {
	testing.TB
	seed *Seed
	db   *store.DB
}

func (l *loader) exec(sql string, args ...any) {
	l.Helper()
	_, err := l.db.Exec(l.Context(), sql, args...)
	require.NoError(l, err, sql)
}

func (l *loader) address(text string) []byte {
	l.Helper()
	a := l.seed.Address(l, text)
	return a[:]
}

// optional is NULL for an absent value.
func optional(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

func (l *loader) state() {
	net := l.seed.Network()
	id := net.Genesis.ID()
	require.Equal(l, []byte(l.seed.GenesisID), id[:])
	genesis, err := vm.GenesisAccounts(&net)
	require.NoError(l, err)
	var sum []byte
	for i := range genesis {
		sum = append(sum, codec.MustEncode(&genesis[i])...)
	}
	total := wire.Sum(sum)
	l.exec("INSERT INTO genesis (genesis_id, accounts_sum, effective_layer) VALUES ($1, $2, $3)",
		id[:], total[:], int64(net.FirstEffectiveGenesis()))
	for _, y := range l.seed.Layers {
		if y.Applied != nil {
			l.exec("INSERT INTO layers (layer, applied_block, state_root) VALUES ($1, $2, $3)", int64(y.Layer), []byte(y.Applied), optional(y.StateHash))
		}
	}
	for _, a := range l.seed.Accounts {
		var template []byte
		if a.Template != "" {
			template = l.address(a.Template)
		}
		l.exec("INSERT INTO accounts (address, layer, balance, next_nonce, template, state) VALUES ($1, $2, $3, $4, $5, $6)",
			l.address(a.Address), int64(a.Layer), int64(a.Balance), int64(a.Nonce), optional(template), append([]byte{}, a.State...))
	}
	for _, r := range l.seed.Rewards {
		l.exec("INSERT INTO rewards (node_id, layer, coinbase, total_reward, layer_reward) VALUES ($1, $2, $3, $4, $5)",
			[]byte(r.Smesher), int64(r.Layer), l.address(r.Coinbase), int64(r.Total), int64(r.Share))
	}
	l.blocks()
	l.transactions()
}

func (l *loader) blocks() {
	for i, b := range l.seed.Blocks {
		l.exec("INSERT INTO blocks (id, seq, layer, height, blob) VALUES ($1, $2, $3, $4, $5)",
			[]byte(b.ID), int64(i+1), int64(b.Layer), int64(b.Height), []byte(b.Encoded))
		for _, id := range b.Txs {
			l.exec("INSERT INTO block_transactions (id, layer, block) VALUES ($1, $2, $3)", []byte(id), int64(b.Layer), []byte(b.ID))
		}
	}
}

// latest reads the seed's newest versions of accounts.
type latest map[wire.Address]wire.Account

func (r latest) Account(a wire.Address) (wire.Account, error) {
	if account, ok := r[a]; ok {
		return account, nil
	}
	return wire.Account{Address: a}, nil
}

func (l *loader) latest() latest {
	out := make(latest)
	for _, a := range l.seed.Accounts {
		account := wire.Account{
			Layer: wire.LayerID(a.Layer), Address: l.seed.Address(l, a.Address),
			NextNonce: a.Nonce, Balance: uint64(a.Balance), State: a.State,
		}
		if a.Template != "" {
			template := l.seed.Address(l, a.Template)
			account.TemplateAddress = &template
		}
		out[account.Address] = account
	}
	return out
}

func (l *loader) transactions() {
	net := l.seed.Network()
	id := net.Genesis.ID()
	machine, accounts := vm.New(vm.ParamsOf(&net), signing.NewVerifier(id[:])), l.latest()
	for i, tx := range l.seed.Transactions {
		if !tx.HasHeader {
			l.exec("INSERT INTO transactions (id, raw, received) VALUES ($1, $2, $3)", []byte(tx.ID), []byte(tx.Raw), int64(i+1))
			continue
		}
		var parsed vm.Transaction
		require.NoError(l, machine.Parse(&parsed, tx.Raw, accounts))
		header := codec.MustEncode(&parsed.Header)
		l.exec("INSERT INTO transactions (id, raw, received, header, principal, nonce) VALUES ($1, $2, $3, $4, $5, $6)",
			[]byte(tx.ID), []byte(tx.Raw), int64(i+1), header, parsed.Header.Principal[:], int64(parsed.Header.Nonce))
		if tx.Result == nil {
			continue
		}
		result := wire.TransactionResult{
			Status: tx.Result.Status, Message: tx.Result.Message, Gas: uint64(tx.Result.Gas), Fee: uint64(tx.Result.Fee),
			Block: wire.BlockID(tx.Result.Block), Layer: wire.LayerID(tx.Result.Layer),
		}
		touched := make([][]byte, len(tx.Result.Addresses))
		for j, a := range tx.Result.Addresses {
			touched[j] = l.address(a)
			result.Addresses = append(result.Addresses, wire.Address(touched[j]))
		}
		l.exec("INSERT INTO results (id, layer, block, header, result, addresses) VALUES ($1, $2, $3, $4, $5, $6)",
			[]byte(tx.ID), int64(tx.Result.Layer), []byte(tx.Result.Block), header, codec.MustEncode(&result), touched)
	}
}

func (l *loader) consensus() {
	l.exec("INSERT INTO network (genesis_id) VALUES ($1)", []byte(l.seed.GenesisID))
	for _, y := range l.seed.Layers {
		l.exec("INSERT INTO layers (layer, processed, aggregated_hash) VALUES ($1, $2, $3)", int64(y.Layer), y.Processed, optional(y.Aggregated))
	}
	for _, b := range l.seed.Blocks {
		if b.Valid != nil {
			l.exec("INSERT INTO block_validity (block, layer, valid) VALUES ($1, $2, $3)", []byte(b.ID), int64(b.Layer), *b.Valid)
		}
	}
	// The node has seen a ballot of its latest layer; nothing reads what is in it.
	l.exec("INSERT INTO ballots (id, hash, layer, atx, node_id, signature, blob) VALUES ($1, $2, $3, $2, $2, $4, '')",
		make([]byte, 20), make([]byte, 32), int64(l.seed.LatestLayer), make([]byte, 64))
}

func (l *loader) activation() {
	for i, a := range l.seed.ATXs {
		l.exec(`INSERT INTO atxs (seq, id, publish_epoch, node_id, coinbase, weight, base_height, tick_count, sequence, vrf_nonce,
			effective_units, commitment, received, validity, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 1)`,
			int64(i+1), []byte(a.ID), int64(a.PublishEpoch), []byte(a.Smesher), l.address(a.Coinbase), int64(a.Weight), int64(a.BaseHeight),
			int64(a.Ticks), int64(a.Sequence), int64(a.VRFNonce), int64(a.Units), optional(a.Commitment), int64(a.Received))
		var previous []byte
		if wire.Hash32(a.Previous) != (wire.Hash32{}) {
			previous = a.Previous
		}
		l.exec(`INSERT INTO posts (atx, node_id, previous, prev_index, units, publish_epoch, seq, place) VALUES ($1, $2, $3, 0, $4, $5, $6, 0)`,
			[]byte(a.ID), []byte(a.Smesher), optional(previous), int64(a.Units), int64(a.PublishEpoch), int64(i+1))
	}
	for i, m := range l.seed.Malfeasance {
		l.exec("INSERT INTO malicious (seq, node_id, received, proof) VALUES ($1, $2, $3, $4)",
			int64(i+1), []byte(m.Smesher), m.Received*1e9, []byte(m.Proof))
	}
}
