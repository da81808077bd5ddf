package apigateway_test

import (
	"slices"
	"testing"
	"time"

	alpha "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/store/storetest"
)

// many is how many rows each table gets.
const many = 1_000_000

// fill adds rows to the seed's: accounts, each with a version; executed
// transactions, some of which touch one busy account; rewards; transactions that
// wait; activations.
func fill(b *testing.B, g *gateway) {
	db := storetest.Open(b, g.URL, "state")
	exec := func(sql string, args ...any) {
		b.Helper()
		_, err := db.Exec(b.Context(), sql, args...)
		require.NoError(b, err)
	}
	busy := g.Seed.Address(b, g.Seed.Smesher.Coinbase)
	exec(`INSERT INTO accounts (address, layer, balance, next_nonce, state)
		SELECT '\x00000000'::bytea || substr(sha256(int4send(i)), 1, 20), 100 + i / 50, i, 0, '' FROM generate_series(1, $1) i`, many)
	exec(`INSERT INTO rewards (node_id, layer, coinbase, total_reward, layer_reward)
		SELECT sha256(int4send(i % 5000)), 100 + i / 50, '\x00000000'::bytea || substr(sha256(int4send(i % 1000)), 1, 20), 9, 8
		FROM generate_series(1, $1) i ON CONFLICT DO NOTHING`, many)
	exec(`INSERT INTO transactions (id, raw, received, header, principal, nonce)
		SELECT sha256(int8send(i)), t.raw, i, t.header, t.principal, i FROM generate_series(1, $1) i,
			(SELECT * FROM transactions WHERE header IS NOT NULL LIMIT 1) t`, many+many/100)
	exec(`INSERT INTO results (id, layer, block, header, result, addresses)
		SELECT sha256(int8send(i)), 100 + i / 50, t.block, t.header, t.result,
			ARRAY['\x00000000'::bytea || substr(sha256(int4send(i)), 1, 20), CASE WHEN i % 10 = 0 THEN $2 ELSE '\x00'::bytea END]
		FROM generate_series(1, $1) i, (SELECT * FROM results LIMIT 1) t`, many, busy[:])
	atxs := storetest.Open(b, g.URL, "activation")
	_, err := atxs.Exec(b.Context(), `INSERT INTO atxs (seq, id, publish_epoch, node_id, coinbase, weight, base_height, tick_count,
			sequence, vrf_nonce, effective_units, received, validity, version)
		SELECT 100 + i, sha256(int8send(i)), 5 + i % 50, sha256(int4send(i % 20000)), '\x00000000'::bytea || substr(sha256(int4send(i % 1000)), 1, 20),
			1, i % 50, 1, 0, 0, 4, 0, 0, 1
		FROM generate_series(1, $1) i`, many)
	require.NoError(b, err)
	_, err = storetest.Open(b, g.URL, "").Exec(b.Context(), "VACUUM ANALYZE")
	require.NoError(b, err)
}

// BenchmarkLists measures pages of large tables over gRPC and tells the slowest
// hundredth as p99.
func BenchmarkLists(b *testing.B) {
	g := start(b)
	fill(b, g)
	accounts, rewards := alpha.NewAccountServiceClient(g.conn), alpha.NewRewardServiceClient(g.conn)
	transactions, activations := alpha.NewTransactionServiceClient(g.conn), alpha.NewActivationServiceClient(g.conn)
	busy, coinbase := g.Seed.Smesher.Coinbase, g.Seed.Accounts[4].Address
	layer := func(l uint32) *uint32 { return &l }
	desc := alpha.SortOrder_DESC
	list := func(r *alpha.TransactionRequest) func() error {
		return func() error { _, err := transactions.List(b.Context(), r); return err }
	}
	for _, c := range []struct {
		name string
		call func() error
	}{
		{"accounts", func() error { _, err := accounts.List(b.Context(), &alpha.AccountRequest{Limit: 100}); return err }},
		{"accounts/offset=10000", func() error {
			_, err := accounts.List(b.Context(), &alpha.AccountRequest{Limit: 100, Offset: 10_000})
			return err
		}},
		{"account", func() error {
			_, err := accounts.List(b.Context(), &alpha.AccountRequest{Limit: 1, Addresses: []string{busy}})
			return err
		}},
		{"rewards", func() error { _, err := rewards.List(b.Context(), &alpha.RewardRequest{Limit: 100}); return err }},
		{"rewards/desc", func() error {
			_, err := rewards.List(b.Context(), &alpha.RewardRequest{Limit: 100, SortOrder: desc})
			return err
		}},
		{"rewards/coinbase", func() error {
			_, err := rewards.List(b.Context(), &alpha.RewardRequest{Limit: 100, FilterBy: &alpha.RewardRequest_Coinbase{Coinbase: coinbase}})
			return err
		}},
		{"rewards/smesher", func() error {
			_, err := rewards.List(b.Context(), &alpha.RewardRequest{Limit: 100, FilterBy: &alpha.RewardRequest_Smesher{Smesher: g.Seed.Smesher.IDs[0]}})
			return err
		}},
		{"transactions", list(&alpha.TransactionRequest{Limit: 100, IncludeState: true, IncludeResult: true})},
		{"transactions/desc", list(&alpha.TransactionRequest{Limit: 100, SortOrder: desc, IncludeState: true, IncludeResult: true})},
		{"transactions/offset=20000", list(&alpha.TransactionRequest{Limit: 100, Offset: 20_000})},
		{"transactions/layer", list(&alpha.TransactionRequest{Limit: 100, StartLayer: layer(9000), EndLayer: layer(9001)})},
		{"transactions/busy", list(&alpha.TransactionRequest{Limit: 100, Address: &busy})},
		{"transactions/busy/desc", list(&alpha.TransactionRequest{Limit: 100, Address: &busy, SortOrder: desc})},
		{"transactions/quiet", list(&alpha.TransactionRequest{Limit: 100, Address: &coinbase})},
		{"activations", func() error {
			_, err := activations.List(b.Context(), &alpha.ActivationRequest{Limit: 100})
			return err
		}},
		{"activations/epoch", func() error {
			_, err := activations.List(b.Context(), &alpha.ActivationRequest{Limit: 100, StartEpoch: 30, EndEpoch: 30})
			return err
		}},
		{"activations/smesher", func() error {
			_, err := activations.List(b.Context(), &alpha.ActivationRequest{Limit: 100, SmesherId: [][]byte{g.Seed.Smesher.IDs[0]}})
			return err
		}},
		{"activations/coinbase", func() error {
			_, err := activations.List(b.Context(), &alpha.ActivationRequest{Limit: 100, Coinbase: coinbase})
			return err
		}},
		{"activations/highest", func() error { _, err := activations.Highest(b.Context(), &alpha.HighestRequest{}); return err }},
		{"activations/count", func() error {
			_, err := activations.ActivationsCount(b.Context(), &alpha.ActivationsCountRequest{})
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				at := time.Now()
				if err := c.call(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
