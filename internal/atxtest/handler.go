package atxtest

import (
	"cmp"
	"slices"
	"strconv"
	"testing"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Stored is an ATX as it stands in the database.
type Stored struct {
	ID         vectors.Hex       `json:"id"`
	Publish    wire.EpochID      `json:"publish_epoch"`
	Smesher    vectors.Hex       `json:"smesher_id"`
	Units      uint32            `json:"effective_num_units"`
	NumUnits   uint32            `json:"num_units"` // of a checkpoint
	Commitment *vectors.Hex      `json:"commitment_atx"`
	Nonce      vectors.Uint64    `json:"vrf_nonce"`
	Coinbase   vectors.Hex       `json:"coinbase"`
	Base       vectors.Uint64    `json:"base_tick_height"`
	Ticks      vectors.Uint64    `json:"tick_count"`
	Weight     vectors.Uint64    `json:"weight"`
	Sequence   vectors.Uint64    `json:"sequence"`
	Marriage   *vectors.Hex      `json:"marriage_atx"`
	Validity   uint8             `json:"validity"`
	Posts      map[string]uint32 `json:"posts"`
	Shares     map[string]uint32 `json:"units"` // of a checkpoint
}

// Handled is a case of the files atx_handler_v1 and atx_handler_v2: what a node
// holds, the ATX that comes in, and what the node makes of it.
type Handled struct {
	Golden   vectors.Hex      `json:"golden_atx"`
	Prefix   vectors.Hex      `json:"prefix"`
	TickSize vectors.Uint64   `json:"tick_size"`
	Current  wire.EpochID     `json:"current_epoch"`
	Versions map[string]uint8 `json:"atx_versions"`
	Own      []vectors.Hex    `json:"own_identities"`
	Input    vectors.Hex      `json:"input"`
	Via      string           `json:"via"`
	FromSelf bool             `json:"from_self"`
	Want     vectors.Hex      `json:"expected_hash"`
	Post     struct {
		LabelsPerUnit vectors.Uint64 `json:"labels_per_unit"`
		Min           uint32         `json:"min_num_units"`
		Max           uint32         `json:"max_num_units"`
	} `json:"post_config"`
	Poets []struct {
		Ref       vectors.Hex    `json:"ref"`
		Leaves    vectors.Uint64 `json:"leaf_count"`
		Statement vectors.Hex    `json:"statement"`
	} `json:"poet_proofs"`
	Setup []struct {
		Kind    string      `json:"kind"`
		Encoded vectors.Hex `json:"encoded"`
		Node    vectors.Hex `json:"node"`
		Proof   vectors.Hex `json:"proof"`
		Stored
	} `json:"setup"`
	Expected struct {
		Result      string        `json:"result"`
		Error       *string       `json:"error"`
		Stored      *Stored       `json:"stored"`
		Cache       *CacheEntry   `json:"cache"`
		Gossiped    []vectors.Hex `json:"gossiped_malfeasance"`
		Malicious   []string      `json:"malicious_identities"`
		VRF         []VRFCheck    `json:"vrf_checks"`
		Posts       []PostCheck   `json:"post_checks"`
		Marriages   []Marriage    `json:"marriages"`
		MaliciousV2 []string      `json:"malicious_v2"`
	} `json:"expected"`
}

// VRFCheck is a VRF nonce that the node has verified.
type VRFCheck struct {
	Node       vectors.Hex    `json:"node_id"`
	Commitment vectors.Hex    `json:"commitment_atx"`
	Nonce      vectors.Uint64 `json:"nonce"`
	Units      uint32         `json:"num_units"`
}

// PostCheck is a proof of space that the node has verified.
type PostCheck struct {
	Node       vectors.Hex `json:"node_id"`
	Commitment vectors.Hex `json:"commitment_atx"`
	Challenge  vectors.Hex `json:"challenge"`
	Nonce      uint32      `json:"post_nonce"`
	Units      uint32      `json:"num_units"`
}

// Marriage is a row of the table of marriages.
type Marriage struct {
	ATX    string `json:"atx"`
	Index  int    `json:"index"`
	ID     uint64 `json:"marriage_id"`
	Node   string `json:"node"`
	Target string `json:"target"`
}

// CacheEntry is what consensus is told of an ATX.
type CacheEntry struct {
	Target     wire.EpochID   `json:"target_epoch"`
	Node       vectors.Hex    `json:"node"`
	Coinbase   vectors.Hex    `json:"coinbase"`
	Weight     vectors.Uint64 `json:"weight"`
	BaseHeight vectors.Uint64 `json:"base_height"`
	Height     vectors.Uint64 `json:"height"`
	Nonce      vectors.Uint64 `json:"nonce"`
	Malicious  bool           `json:"malicious"`
}

// ID reads an ID that may be absent.
func ID(h *vectors.Hex) *wire.ATXID {
	if h == nil || *h == nil {
		return nil
	}
	id := wire.ATXID(*h)
	return &id
}

// Versions reads a table of versions by the epochs from which they count.
func Versions(t testing.TB, table map[string]uint8) []network.ATXVersion {
	t.Helper()
	var v []network.ATXVersion
	for epoch, version := range table {
		e, err := strconv.ParseUint(epoch, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		v = append(v, network.ATXVersion{Epoch: wire.EpochID(e), Version: version})
	}
	slices.SortFunc(v, func(a, b network.ATXVersion) int { return cmp.Compare(a.Epoch, b.Epoch) })
	return v
}
