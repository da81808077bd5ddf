package state_test

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	read "github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
)

// recording is what a real network left behind, and what its nodes made of it.
type recording struct {
	dir string
	net network.Params

	ATXs         []recordedATX
	Blocks       []recordedBlock
	Transactions []recordedTx
	Layers       []recordedLayer
	Accounts     []recordedAccount
	Rewards      []recordedReward
}

type (
	recordedATX struct {
		ID           string `json:"id"`
		PublishEpoch uint32 `json:"publish_epoch"`
		Node         string `json:"node_id"`
		Coinbase     string `json:"coinbase"`
	}
	recordedBlock struct {
		ID    string `json:"id"`
		Layer uint32 `json:"layer"`
		Blob  string `json:"blob"`
	}
	recordedTx struct {
		ID     string  `json:"id"`
		Layer  *uint32 `json:"layer"`
		Block  *string `json:"block"`
		Raw    string  `json:"raw"`
		Header *string `json:"header"`
		Result *string `json:"result"`
	}
	recordedLayer struct {
		Layer   uint32  `json:"layer"`
		Applied *string `json:"applied_block"`
		Root    *string `json:"state_hash"`
	}
	recordedAccount struct {
		Address  string  `json:"address"`
		Balance  uint64  `json:"balance"`
		Nonce    uint64  `json:"next_nonce"`
		Layer    uint32  `json:"layer_updated"`
		Template *string `json:"template"`
		State    *string `json:"state"`
	}
	recordedReward struct {
		Node     string `json:"node_id"`
		Coinbase string `json:"coinbase"`
		Layer    uint32 `json:"layer"`
		Total    uint64 `json:"total_reward"`
		Share    uint64 `json:"layer_reward"`
	}
)

func readRecording(t *testing.T, dir string) *recording {
	t.Helper()
	r := &recording{dir: dir, net: network.Fastnet()}
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	require.NoError(t, err)
	var m struct {
		Preset   string            `json:"preset"`
		Time     time.Time         `json:"genesis_time"`
		Extra    string            `json:"genesis_extra_data"`
		Accounts map[string]uint64 `json:"genesis_accounts"`
	}
	require.NoError(t, json.Unmarshal(raw, &m))
	require.Equal(t, "fastnet", m.Preset)
	r.net.Genesis = network.Genesis{Time: m.Time, ExtraData: m.Extra}
	for _, address := range slices.Sorted(maps.Keys(m.Accounts)) {
		r.net.Genesis.Accounts = append(r.net.Genesis.Accounts, network.GenesisAccount{Address: address, Balance: m.Accounts[address]})
	}
	r.ATXs = lines[recordedATX](t, dir, "atxs")
	r.Blocks = lines[recordedBlock](t, dir, "blocks")
	r.Transactions = lines[recordedTx](t, dir, "transactions")
	r.Layers = lines[recordedLayer](t, dir, "layers")
	r.Accounts = lines[recordedAccount](t, dir, "accounts")
	r.Rewards = lines[recordedReward](t, dir, "rewards")
	return r
}

func lines[T any](t *testing.T, dir, name string) (out []T) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name+".jsonl.gz"))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	in := bufio.NewScanner(z)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		if len(in.Bytes()) == 0 {
			continue
		}
		var line T
		require.NoError(t, json.Unmarshal(in.Bytes(), &line))
		out = append(out, line)
	}
	require.NoError(t, in.Err())
	return out
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// applied are the layers of a recording with a marker, after its genesis.
func (r *recording) applied() (out []recordedLayer) {
	for _, l := range r.Layers {
		if l.Applied != nil && wire.LayerID(l.Layer) > r.net.FirstEffectiveGenesis() {
			out = append(out, l)
		}
	}
	return out
}

// The service executes what a real network agreed on, and comes to its accounts,
// results, rewards and roots. Then it reverts half of it and does it again.
func TestARecordedNetworkIsReproduced(t *testing.T) {
	for _, name := range []string{"fastnet-hare3-atx1", "fastnet-hare4-atx2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := readRecording(t, filepath.Join("..", "..", "testdata", "recordings", name))
			w := newWorld(t, r.net)
			service := w.start()
			r.offer(t, w)
			layers := r.applied()
			require.NotEmpty(t, layers)
			r.execute(t, w, layers)
			r.compare(t, service, "at once")

			middle := layers[len(layers)/2]
			reply, err := w.revert(wire.LayerID(middle.Layer))
			require.NoError(t, err)
			require.Equal(t, *middle.Root, hex.EncodeToString(reply.StateRoot[:]))
			service.stop(t)
			service = w.start()
			r.execute(t, w, layers)
			r.compare(t, service, "after a revert and a restart")
		})
	}
}

// offer brings every object, transactions over gossip and by fetch in turn.
func (r *recording) offer(t *testing.T, w *world) {
	t.Helper()
	activation := storetest.Open(t, w.url, "activation")
	for _, a := range r.ATXs {
		_, err := activation.Exec(t.Context(), `INSERT INTO atxs (id, publish_epoch, node_id, coinbase, weight, base_height, tick_count, vrf_nonce, received)
			VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0)`, unhex(t, a.ID), int64(a.PublishEpoch), unhex(t, a.Node), unhex(t, a.Coinbase))
		require.NoError(t, err)
	}
	for i, tx := range r.Transactions {
		raw := unhex(t, tx.Raw)
		if i%2 == 0 {
			_, err := bus.GossipIn(bus.TopicTransaction).Call(t.Context(), w.caller, bus.PeerMessage{Peer: "12D3", Body: raw})
			require.NoError(t, err)
		}
		j := w.sync(bus.KindTransaction, wire.Hash32(unhex(t, tx.ID)), raw)
		require.Equal(t, bus.Accept, j.Verdict, "%+v", j)
	}
	for _, b := range r.Blocks {
		j := w.sync(bus.KindBlock, wire.Hash32(unhex(t, b.ID)), unhex(t, b.Blob))
		require.Equal(t, bus.Accept, j.Verdict, "%+v", j)
	}
}

func (r *recording) execute(t *testing.T, w *world, layers []recordedLayer) {
	t.Helper()
	for _, l := range layers {
		reply, err := w.execute(wire.LayerID(l.Layer), wire.BlockID(unhex(t, *l.Applied)))
		require.NoError(t, err)
		require.Equal(t, *l.Root, hex.EncodeToString(reply.StateRoot[:]), "layer %d", l.Layer)
	}
}

// compare finds no difference between the recording's rows and the service's.
func (r *recording) compare(t *testing.T, s *running, when string) {
	t.Helper()
	markers, err := read.AppliedFrom(t.Context(), s.db, r.net.FirstEffectiveGenesis()+1)
	require.NoError(t, err)
	layers := r.applied()
	require.Len(t, markers, len(layers), when)
	for i, l := range layers {
		require.Equal(t, l.Layer, uint32(markers[i].Layer), when)
		require.Equal(t, *l.Applied, markers[i].Block.String(), when)
		require.Equal(t, *l.Root, markers[i].Root.String(), when)
	}
	r.compareAccounts(t, s, when)
	r.compareRewards(t, s, when)
	r.compareTransactions(t, s, when)
	t.Logf("%s: 0 differences in %d layers, %d account versions, %d rewards, %d transactions",
		when, len(layers), len(r.Accounts), len(r.Rewards), len(r.Transactions))
}

func (r *recording) compareAccounts(t *testing.T, s *running, when string) {
	t.Helper()
	versions, err := read.AccountVersions(t.Context(), s.db, 0, read.Latest)
	require.NoError(t, err)
	got := make([]recordedAccount, len(versions))
	for i, a := range versions {
		got[i] = recordedAccount{Address: a.Address.String(), Balance: a.Balance, Nonce: a.NextNonce, Layer: uint32(a.Layer)}
		if a.TemplateAddress != nil {
			template := a.TemplateAddress.String()
			got[i].Template = &template
		}
		if len(a.State) > 0 {
			state := hex.EncodeToString(a.State)
			got[i].State = &state
		}
	}
	require.ElementsMatch(t, r.Accounts, got, when)
}

func (r *recording) compareRewards(t *testing.T, s *running, when string) {
	t.Helper()
	rewards, err := read.RewardsBetween(t.Context(), s.db, 0, read.Latest)
	require.NoError(t, err)
	got := make([]recordedReward, len(rewards))
	for i, w := range rewards {
		got[i] = recordedReward{
			Node: w.SmesherID.String(), Coinbase: w.Coinbase.String(), Layer: uint32(w.Layer),
			Total: w.TotalReward, Share: w.LayerReward,
		}
	}
	require.ElementsMatch(t, r.Rewards, got, when)
}

func (r *recording) compareTransactions(t *testing.T, s *running, when string) {
	t.Helper()
	ids := make([]wire.TransactionID, len(r.Transactions))
	for i, tx := range r.Transactions {
		ids[i] = wire.TransactionID(unhex(t, tx.ID))
	}
	stored, err := read.TransactionsByID(t.Context(), s.db, ids)
	require.NoError(t, err)
	byID := make(map[string]read.Transaction, len(stored))
	for _, tx := range stored {
		byID[tx.ID.String()] = tx
	}
	require.Len(t, byID, len(ids), when)
	executed := 0
	for _, want := range r.Transactions {
		got := byID[want.ID]
		require.Equal(t, want.Raw, hex.EncodeToString(got.Raw), when)
		require.Equal(t, want.Result == nil, got.Result == nil, "%s: %s", when, want.ID)
		if want.Result == nil {
			continue
		}
		executed++
		require.Equal(t, *want.Result, hex.EncodeToString(codec.MustEncode(got.Result)), when)
		require.Equal(t, *want.Header, hex.EncodeToString(codec.MustEncode(got.Header)), when)
		require.Equal(t, *want.Layer, uint32(got.Result.Layer), when)
		require.True(t, strings.HasPrefix(*want.Block, got.Result.Block.String()), when)
	}
	results, err := read.ResultsBetween(t.Context(), s.db, 0, read.Latest)
	require.NoError(t, err)
	require.Len(t, results, executed, when)
}
