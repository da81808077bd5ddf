package mempool

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

type txJSON struct {
	ID           vectors.Hex    `json:"id"`
	Account      uint32         `json:"account"`
	Principal    vectors.Hex    `json:"principal"`
	Nonce        vectors.Uint64 `json:"nonce"`
	MaxGas       vectors.Uint64 `json:"max_gas"`
	GasPrice     vectors.Uint64 `json:"gas_price"`
	MaxSpend     vectors.Uint64 `json:"max_spend"`
	ReceivedMS   int64          `json:"received_ms"`
	AppliedLayer wire.LayerID   `json:"applied_layer"`
}

// address stands for an account that a vector names by index.
func address(i uint32) (a wire.Address) {
	a[22], a[23] = byte(i>>8), byte(i)
	return a
}

func (j txJSON) tx() Tx {
	principal := address(j.Account)
	if j.Principal != nil {
		principal = wire.Address(j.Principal)
	}
	return Tx{
		ID: j.ID.Array32(),
		Header: wire.TxHeader{
			Principal: principal, Nonce: uint64(j.Nonce),
			MaxGas: uint64(j.MaxGas), GasPrice: uint64(j.GasPrice), MaxSpend: uint64(j.MaxSpend),
		},
		Received: j.ReceivedMS * 1e6,
	}
}

// indexes translates ids to their positions in txs.
func indexes(txs []txJSON, ids []wire.TransactionID) []int {
	position := map[wire.TransactionID]int{}
	for i, tx := range txs {
		position[tx.ID.Array32()] = i
	}
	out := []int{}
	for _, id := range ids {
		out = append(out, position[id])
	}
	return out
}

func ids(txs []*Tx) (out []wire.TransactionID) {
	for _, tx := range txs {
		out = append(out, tx.ID)
	}
	return out
}

func TestBetterVectors(t *testing.T) {
	type betterCase struct {
		A, B  txJSON
		Seed  vectors.Hex `json:"block_seed"`
		AOver bool        `json:"a_better_than_b"`
		BOver bool        `json:"b_better_than_a"`
		HashA vectors.Hex `json:"combined_hash_a"`
		HashB vectors.Hex `json:"combined_hash_b"`
	}
	vectors.Run(t, "txs/better", func(t *testing.T, c betterCase) {
		a, b := c.A.tx(), c.B.tx()
		require.Equal(t, c.AOver, Better(&a, &b, c.Seed))
		require.Equal(t, c.BOver, Better(&b, &a, c.Seed))
		if len(c.Seed) > 0 {
			require.Equal(t, wire.Hash32(c.HashA), SeededHash(c.Seed, a.ID))
			require.Equal(t, wire.Hash32(c.HashB), SeededHash(c.Seed, b.ID))
		}
	})
}

func TestSelectVectors(t *testing.T) {
	type selectCase struct {
		GasLimit vectors.Uint64 `json:"gas_limit"`
		Txs      []txJSON       `json:"txs"`
		Selected []int          `json:"selected"`
	}
	vectors.Run(t, "txs/select", func(t *testing.T, c selectCase) {
		var candidates [][]*Tx
		position := map[uint32]int{}
		for _, j := range c.Txs {
			at, seen := position[j.Account]
			if !seen {
				at = len(candidates)
				position[j.Account] = at
				candidates = append(candidates, nil)
			}
			tx := j.tx()
			candidates[at] = append(candidates[at], &tx)
		}
		require.Equal(t, c.Selected, indexes(c.Txs, ids(Select(candidates, uint64(c.GasLimit)))))
	})
}

func TestShuffleVectors(t *testing.T) {
	type shuffleCase struct {
		Kind        string           `json:"kind"`
		Seed        vectors.Hex      `json:"seed"`
		First       []vectors.Uint64 `json:"first"`
		From311     []vectors.Uint64 `json:"from_311"`
		N           int              `json:"n"`
		Permutation []int            `json:"permutation"`
		Txs         []txJSON         `json:"txs"`
		Num         int              `json:"num"`
		Result      []int            `json:"result"`
	}
	vectors.Run(t, "txs/shuffle", func(t *testing.T, c shuffleCase) {
		switch c.Kind {
		case "mt19937_64":
			twister := newTwister(c.Seed.Array32())
			out := make([]vectors.Uint64, 311+len(c.From311))
			for i := range out {
				out[i] = vectors.Uint64(twister.uint64())
			}
			require.Equal(t, c.First, out[:len(c.First)])
			require.Equal(t, c.From311, out[311:])
		case "shuffle":
			items := make([]int, c.N)
			for i := range items {
				items[i] = i
			}
			shuffle(c.Seed.Array32(), items)
			require.Equal(t, c.Permutation, items)
		case "shuffle_with_nonce_order":
			var txs []*Tx
			for _, j := range c.Txs {
				tx := j.tx()
				txs = append(txs, &tx)
			}
			require.Equal(t, c.Result, indexes(c.Txs, shuffled(txs, c.Num, c.Seed.Array32())))
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func TestBlockSeedVectors(t *testing.T) {
	type seedCase struct {
		Proposals []vectors.Hex `json:"proposals"`
		Seed      vectors.Hex   `json:"seed"`
	}
	vectors.Run(t, "txs/block_seed", func(t *testing.T, c seedCase) {
		var proposals []wire.ProposalID
		for _, id := range c.Proposals {
			proposals = append(proposals, wire.ProposalID(id))
		}
		require.Equal(t, c.Seed.Array32(), BlockSeed(proposals))
	})
}

func TestBlockTxsVectors(t *testing.T) {
	type blockCase struct {
		Seed     vectors.Hex    `json:"block_seed"`
		GasLimit vectors.Uint64 `json:"gas_limit"`
		Txs      []txJSON       `json:"txs"`
		Ordered  []int          `json:"ordered"`
	}
	vectors.Run(t, "txs/block_txs", func(t *testing.T, c blockCase) {
		var txs []BlockTx
		for _, j := range c.Txs {
			txs = append(txs, BlockTx{Tx: j.tx(), Applied: j.AppliedLayer != 0})
		}
		got := BlockTxs(txs, c.Seed.Array32(), uint64(c.GasLimit))
		require.Equal(t, c.Ordered, indexes(c.Txs, got))
	})
}
