package seedtest

import (
	"slices"
	"testing"
	"time"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Seed is the content of api/seed.json.
type Seed struct {
	HRP              string         `json:"hrp"`
	LayersPerEpoch   uint32         `json:"layers_per_epoch"`
	GenesisID        vectors.Hex    `json:"genesis_id"`
	GoldenATX        vectors.Hex    `json:"golden_atx"`
	GenesisTime      int64          `json:"genesis_time_unix"`
	ExtraData        string         `json:"genesis_extra_data"`
	LayerDuration    int64          `json:"layer_duration_s"`
	LayerAverageSize uint32         `json:"layer_avg_size"`
	TxsPerProposal   int            `json:"txs_per_proposal"`
	LabelsPerUnit    vectors.Uint64 `json:"labels_per_unit"`

	CurrentLayer uint32 `json:"current_layer"`
	LatestLayer  uint32 `json:"latest_layer"`
	PeerCount    uint64 `json:"peer_count"`
	Synced       bool   `json:"synced"`
	Version      string `json:"version"`
	Build        string `json:"build"`

	Accounts     []Account     `json:"accounts"`
	Layers       []Layer       `json:"layers"`
	Blocks       []Block       `json:"blocks"`
	Rewards      []Reward      `json:"rewards"`
	Transactions []Transaction `json:"transactions"`
	ATXs         []ATX         `json:"atxs"`
	Malfeasance  []Malfeasance `json:"malfeasance"`

	Smesher struct {
		Coinbase   string        `json:"coinbase"`
		IsSmeshing bool          `json:"is_smeshing"`
		IDs        []vectors.Hex `json:"smesher_ids"`
		Supervised bool          `json:"supervised"`
	} `json:"smesher_service"`
	// Mempool is a transaction that a case submits; the rows do not hold it.
	Mempool struct {
		ID  vectors.Hex `json:"id"`
		Raw vectors.Hex `json:"raw"`
	} `json:"mempool_tx"`
}

// Account is one version of an account.
type Account struct {
	Address  string         `json:"address"`
	Balance  vectors.Uint64 `json:"balance"`
	Layer    uint32         `json:"layer_updated"`
	Nonce    uint64         `json:"next_nonce"`
	State    vectors.Hex    `json:"state"`
	Template string         `json:"template"`
}

// Layer is a layer's row; what is not set is nil.
type Layer struct {
	Layer      uint32      `json:"layer"`
	Processed  bool        `json:"processed"`
	Applied    vectors.Hex `json:"applied_block"`
	StateHash  vectors.Hex `json:"state_hash"`
	Aggregated vectors.Hex `json:"aggregated_hash"`
}

// Block is a stored block.
type Block struct {
	ID      vectors.Hex   `json:"id"`
	Layer   uint32        `json:"layer"`
	Height  uint64        `json:"tick_height"`
	Txs     []vectors.Hex `json:"txs"`
	Valid   *bool         `json:"valid"`
	Encoded vectors.Hex   `json:"encoded"`
}

// Reward is a reward's row.
type Reward struct {
	Coinbase string         `json:"coinbase"`
	Layer    uint32         `json:"layer"`
	Share    vectors.Uint64 `json:"layer_reward"`
	Total    vectors.Uint64 `json:"total"`
	Smesher  vectors.Hex    `json:"smesher"`
}

// Transaction is a stored transaction.
type Transaction struct {
	ID        vectors.Hex `json:"id"`
	Raw       vectors.Hex `json:"raw"`
	HasHeader bool        `json:"has_header"`
	Result    *struct {
		Status    uint8          `json:"status"`
		Message   string         `json:"message"`
		Gas       vectors.Uint64 `json:"gas"`
		Fee       vectors.Uint64 `json:"fee"`
		Block     vectors.Hex    `json:"block"`
		Layer     uint32         `json:"layer"`
		Addresses []string       `json:"addresses"`
	} `json:"result"`
}

// ATX is a stored activation.
type ATX struct {
	ID           vectors.Hex    `json:"id"`
	Smesher      vectors.Hex    `json:"smesher"`
	PublishEpoch uint32         `json:"publish_epoch"`
	Coinbase     string         `json:"coinbase"`
	Units        uint32         `json:"num_units"`
	Sequence     uint64         `json:"sequence"`
	BaseHeight   uint64         `json:"base_tick_height"`
	Ticks        uint64         `json:"tick_count"`
	Weight       uint64         `json:"weight"`
	VRFNonce     uint64         `json:"vrf_nonce"`
	Commitment   vectors.Hex    `json:"commitment_atx"`
	Previous     vectors.Hex    `json:"prev_atx"`
	Received     vectors.Uint64 `json:"received_unix_ns"`
}

// Malfeasance is a stored proof, which need not be one.
type Malfeasance struct {
	Smesher  vectors.Hex `json:"smesher"`
	Proof    vectors.Hex `json:"proof"`
	Received int64       `json:"received_unix"`
}

// Read reads the vector.
func Read(t testing.TB) *Seed {
	t.Helper()
	s := &Seed{}
	vectors.Load(t, "api/seed", s)
	return s
}

// Network is the described network; what the vector does not tell is mainnet's.
func (s *Seed) Network() network.Params {
	p := network.Mainnet()
	p.HRP, p.LayersPerEpoch, p.LayerAverageSize = s.HRP, s.LayersPerEpoch, s.LayerAverageSize
	p.LayerDuration = time.Duration(s.LayerDuration) * time.Second
	p.TxsPerProposal, p.Post.LabelsPerUnit = s.TxsPerProposal, uint64(s.LabelsPerUnit)
	p.Genesis = network.Genesis{Time: time.Unix(s.GenesisTime, 0).UTC(), ExtraData: s.ExtraData}
	for _, a := range s.Accounts {
		if a.Layer == 0 {
			p.Genesis.Accounts = append(p.Genesis.Accounts, network.GenesisAccount{Address: a.Address, Balance: uint64(a.Balance)})
		}
	}
	slices.SortFunc(p.Genesis.Accounts, func(a, b network.GenesisAccount) int {
		return slices.Compare([]byte(a.Address), []byte(b.Address))
	})
	return p
}

// Now is a moment within the current layer.
func (s *Seed) Now() time.Time {
	return time.Unix(s.GenesisTime+int64(s.CurrentLayer)*s.LayerDuration+1, 0).UTC()
}

// Address reads an address of the vector.
func (s *Seed) Address(t testing.TB, text string) wire.Address {
	t.Helper()
	a, err := address.Parse(s.HRP, text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
