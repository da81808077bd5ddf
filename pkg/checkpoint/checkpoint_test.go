package checkpoint_test

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/checkpoint"
	"github.com/smeshery/smeshery/pkg/wire"
)

type atxVector struct {
	ID             vectors.Hex       `json:"id"`
	PublishEpoch   wire.EpochID      `json:"publish_epoch"`
	Commitment     vectors.Hex       `json:"commitment_atx"`
	Marriage       vectors.Hex       `json:"marriage_atx"`
	VRFNonce       vectors.Uint64    `json:"vrf_nonce"`
	BaseTickHeight vectors.Uint64    `json:"base_tick_height"`
	TickCount      vectors.Uint64    `json:"tick_count"`
	Smesher        vectors.Hex       `json:"smesher"`
	Sequence       vectors.Uint64    `json:"sequence"`
	Coinbase       vectors.Hex       `json:"coinbase"`
	NumUnits       uint32            `json:"num_units"`
	Units          map[string]uint32 `json:"units"`
	Golden         bool              `json:"golden"`
	StoredWeight   vectors.Uint64    `json:"stored_weight"`
}

func (a *atxVector) atx(t *testing.T) checkpoint.ATX {
	out := checkpoint.ATX{
		ID: a.ID.Array32(), PublishEpoch: a.PublishEpoch, Commitment: wire.LeftAligned32(a.Commitment),
		Marriage: wire.LeftAligned32(a.Marriage), VRFNonce: uint64(a.VRFNonce),
		BaseTickHeight: uint64(a.BaseTickHeight), TickCount: uint64(a.TickCount), Smesher: a.Smesher.Array32(),
		Sequence: uint64(a.Sequence), Coinbase: wire.Address(a.Coinbase), NumUnits: a.NumUnits,
		Units: map[wire.NodeID]uint32{},
	}
	for key, units := range a.Units {
		raw, err := hex.DecodeString(key)
		require.NoError(t, err)
		out.Units[wire.NodeID(raw)] = units
	}
	return out
}

type accountVector struct {
	Layer     wire.LayerID   `json:"layer"`
	Address   vectors.Hex    `json:"address"`
	NextNonce vectors.Uint64 `json:"next_nonce"`
	Balance   vectors.Uint64 `json:"balance"`
	Template  vectors.Hex    `json:"template"`
	State     vectors.Hex    `json:"state"`
}

func (a *accountVector) account() wire.Account {
	out := wire.Account{
		Layer: a.Layer, Address: wire.Address(a.Address), NextNonce: uint64(a.NextNonce), Balance: uint64(a.Balance),
	}
	if a.Template != nil {
		template := wire.Address(a.Template)
		out.TemplateAddress = &template
	}
	if len(a.State) > 0 {
		out.State = a.State
	}
	return out
}

type marriageVector struct {
	ID        int64       `json:"id"`
	ATX       vectors.Hex `json:"atx"`
	Index     int         `json:"index"`
	Node      vectors.Hex `json:"node"`
	Target    vectors.Hex `json:"target"`
	Signature vectors.Hex `json:"signature"`
}

func marriages(in []marriageVector) (out []checkpoint.Marriage) {
	for _, m := range in {
		out = append(out, checkpoint.Marriage{
			ID: m.ID, ATX: m.ATX.Array32(), Index: m.Index, Smesher: m.Node.Array32(),
			MarriedTo: m.Target.Array32(), Signature: wire.EdSignature(m.Signature),
		})
	}
	return out
}

func readClass(err error) string {
	for class, target := range map[string]error{
		"json": checkpoint.ErrJSON, "schema": checkpoint.ErrSchema, "version": checkpoint.ErrVersion, "store": checkpoint.ErrStore,
	} {
		if errors.Is(err, target) {
			return class
		}
	}
	return ""
}

func TestReadVectors(t *testing.T) {
	type readCase struct {
		File             string           `json:"file"`
		RestoreLayer     wire.LayerID     `json:"restore_layer"`
		Error            string           `json:"error"`
		Accounts         []accountVector  `json:"accounts"`
		ATXs             []atxVector      `json:"atxs"`
		Marriages        []marriageVector `json:"marriages"`
		EffectiveGenesis wire.LayerID     `json:"effective_genesis"`
	}
	vectors.Run(t, "txs/checkpoint_read", func(t *testing.T, c readCase) {
		got, err := checkpoint.Read([]byte(c.File), c.RestoreLayer)
		require.Equal(t, c.Error, readClass(err), "%v", err)
		if c.Error != "" {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, c.EffectiveGenesis, checkpoint.EffectiveGenesis(c.RestoreLayer))
		var accounts []wire.Account
		for i := range c.Accounts {
			accounts = append(accounts, c.Accounts[i].account())
		}
		var atxs []checkpoint.ATX
		for i := range c.ATXs {
			require.True(t, c.ATXs[i].Golden)
			require.Zero(t, c.ATXs[i].StoredWeight)
			atxs = append(atxs, c.ATXs[i].atx(t))
		}
		require.ElementsMatch(t, accounts, got.Accounts)
		require.ElementsMatch(t, atxs, got.ATXs)
		require.ElementsMatch(t, marriages(c.Marriages), got.Marriages)
	})
}

type generateCase struct {
	ATXs            []atxVector      `json:"atxs"`
	AccountVersions []accountVector  `json:"account_versions"`
	Marriages       []marriageVector `json:"marriages"`
	Malicious       []vectors.Hex    `json:"malicious"`
	SnapshotLayer   wire.LayerID     `json:"snapshot_layer"`
	NumATXs         int              `json:"num_atxs"`
	FileName        string           `json:"file_name"`
	File            string           `json:"file"`
	SchemaValid     bool             `json:"schema_valid"`
	Error           string           `json:"error"`
}

func seq[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (c *generateCase) source(t *testing.T) checkpoint.Source {
	var atxs []checkpoint.ATX
	for i := range c.ATXs {
		atxs = append(atxs, c.ATXs[i].atx(t))
	}
	slices.SortFunc(atxs, func(a, b checkpoint.ATX) int {
		return cmp.Or(wire.Compare(a.Smesher, b.Smesher), cmp.Compare(b.PublishEpoch, a.PublishEpoch))
	})
	var versions []wire.Account
	for i := range c.AccountVersions {
		versions = append(versions, c.AccountVersions[i].account())
	}
	slices.SortFunc(versions, func(a, b wire.Account) int {
		return cmp.Or(bytes.Compare(a.Address[:], b.Address[:]), cmp.Compare(a.Layer, b.Layer))
	})
	return checkpoint.Source{
		ATXs: seq(atxs), Versions: seq(versions), Marriages: marriages(c.Marriages),
		Malicious: func(id wire.NodeID) bool {
			return slices.ContainsFunc(c.Malicious, func(m vectors.Hex) bool { return m.Array32() == id })
		},
	}
}

// comparable is a file with sets where order does not matter. Of the duplicates
// that the network's software writes only the first counts.
func comparable(t *testing.T, raw string) (file map[string]any, atxs map[string]any) {
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&file))
	data := file["data"].(map[string]any)
	atxs = map[string]any{}
	for _, atx := range data["atxs"].([]any) {
		id := atx.(map[string]any)["id"].(string)
		if atxs[id] == nil {
			atxs[id] = atx
		}
	}
	delete(data, "atxs")
	for _, group := range data["marriages"].(map[string]any) {
		slices.SortFunc(group.([]any), func(a, b any) int {
			return strings.Compare(a.(map[string]any)["signer"].(string), b.(map[string]any)["signer"].(string))
		})
	}
	return file, atxs
}

func TestGenerateVectors(t *testing.T) {
	errorsByText := []struct {
		prefix string
		err    error
	}{
		{"atxs snapshot commitment", checkpoint.ErrNoCommitment},
		{"atxs snapshot", checkpoint.ErrNoATXs},
		{"accounts snapshot", checkpoint.ErrNoAccounts},
	}
	vectors.Run(t, "txs/checkpoint_generate", func(t *testing.T, c generateCase) {
		var out bytes.Buffer
		err := checkpoint.Write(&out, c.SnapshotLayer, c.NumATXs, c.source(t))
		if c.Error != "" {
			i := slices.IndexFunc(errorsByText, func(e struct {
				prefix string
				err    error
			}) bool {
				return strings.HasPrefix(c.Error, e.prefix)
			})
			require.GreaterOrEqual(t, i, 0, c.Error)
			require.ErrorIs(t, err, errorsByText[i].err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, c.FileName, checkpoint.Name(c.SnapshotLayer))
		want, wantATXs := comparable(t, c.File)
		got, gotATXs := comparable(t, out.String())
		require.Equal(t, want, got)
		require.Equal(t, wantATXs, gotATXs)
		if len(c.Marriages) == 0 {
			require.Equal(t, c.File, out.String())
		}

		_, err = checkpoint.Read([]byte(c.File), 100)
		require.Equal(t, c.SchemaValid, !errors.Is(err, checkpoint.ErrSchema))
		snapshot, err := checkpoint.Read(out.Bytes(), 100)
		require.NoError(t, err, "what is written can be read")
		require.Len(t, snapshot.ATXs, len(gotATXs), "no atx is written twice")
	})
}
