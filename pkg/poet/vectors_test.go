package poet_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

type (
	hexBytes = vectors.Hex
	decimal  = vectors.Uint64
)

func nodesOf(list []hexBytes) []poet.Node {
	nodes := make([]poet.Node, len(list))
	for i := range list {
		nodes[i] = list[i].Array32()
	}
	return nodes
}

func hashesOf(list []hexBytes) []wire.Hash32 {
	var hashes []wire.Hash32
	for i := range list {
		hashes = append(hashes, wire.Hash32(list[i].Array32()))
	}
	return hashes
}

func bytesOf(list []hexBytes) [][]byte {
	var out [][]byte
	for _, h := range list {
		out = append(out, h)
	}
	return out
}

// outcome is the name of the broken rule, or good.
func outcome(err error, good string) string {
	var broken *poet.RuleError
	switch {
	case err == nil:
		return good
	case errors.As(err, &broken):
		return string(broken.Rule)
	default:
		return "unexpected: " + err.Error()
	}
}

func TestVectorHashes(t *testing.T) {
	type hashCase struct {
		Kind         string
		Challenge    hexBytes
		LabelID      decimal    `json:"label_id"`
		LeftSiblings []hexBytes `json:"left_siblings"`
		Left, Right  hexBytes
		Label, Node  hexBytes
	}
	vectors.Run(t, "poet/hashes", func(t *testing.T, c hashCase) {
		hasher := poet.NewHasher(c.Challenge)
		var got poet.Node
		want := c.Node
		switch c.Kind {
		case "label":
			hasher.Label(&got, uint64(c.LabelID), bytesOf(c.LeftSiblings)...)
			want = c.Label
		case "merkle":
			hasher.Node(&got, c.Left, c.Right)
		case "membership":
			got = poet.MembershipNode(c.Left.Array32(), c.Right.Array32())
		default:
			t.Fatalf("kind %q", c.Kind)
		}
		require.Equal(t, want.Array32(), got)
	})
}

func TestVectorFiatShamir(t *testing.T) {
	type indicesCase struct {
		Root          hexBytes
		LeafCount     decimal   `json:"leaf_count"`
		SecurityParam int       `json:"security_param"`
		Indices       []decimal `json:"indices_sorted"`
	}
	vectors.Run(t, "poet/fiat_shamir", func(t *testing.T, c indicesCase) {
		want := make([]uint64, len(c.Indices))
		for i, index := range c.Indices {
			want[i] = uint64(index)
		}
		require.Equal(t, want, poet.OpenedLeaves(c.Root, uint64(c.LeafCount), c.SecurityParam))
	})
}

func TestVectorRounds(t *testing.T) {
	type roundCase struct {
		Kind          string
		GenesisUnix   int64         `json:"genesis_unix"`
		EpochDuration time.Duration `json:"epoch_duration_ns"`
		PhaseShift    time.Duration `json:"phase_shift_ns"`
		CycleGap      time.Duration `json:"cycle_gap_ns"`
		Round         uint32
		Start         string        `json:"start_unix_ns"`
		End           string        `json:"end_unix_ns"`
		Duration      time.Duration `json:"round_duration_ns"`
		When          string        `json:"when_unix_ns"`
		OpenRound     uint32        `json:"open_round"`
	}
	vectors.Run(t, "poet/rounds", func(t *testing.T, c roundCase) {
		schedule := poet.Schedule{
			Genesis:       time.Unix(c.GenesisUnix, 0),
			EpochDuration: c.EpochDuration,
			PhaseShift:    c.PhaseShift,
			CycleGap:      c.CycleGap,
		}
		switch c.Kind {
		case "bounds":
			require.Equal(t, c.Start, strconv.FormatInt(schedule.RoundStart(c.Round).UnixNano(), 10))
			require.Equal(t, c.End, strconv.FormatInt(schedule.RoundEnd(c.Round).UnixNano(), 10))
			require.Equal(t, c.Duration, schedule.RoundDuration())
		case "open_round":
			when, err := strconv.ParseInt(c.When, 10, 64)
			require.NoError(t, err)
			require.Equal(t, c.OpenRound, schedule.OpenRound(time.Unix(0, when)))
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func TestVectorTicksWeight(t *testing.T) {
	type nipost struct {
		LeafCount decimal `json:"leaf_count"`
		Ticks     decimal
		Units     uint32
	}
	type weightCase struct {
		TickSize  decimal `json:"tick_size"`
		NIPosts   []nipost
		Units     uint32
		Weight    decimal
		TickCount decimal `json:"atx_tick_count"`
		Error     string
	}
	vectors.Run(t, "poet/ticks_weight", func(t *testing.T, c weightCase) {
		var posts []poet.PostUnits
		for _, p := range c.NIPosts {
			require.Equal(t, uint64(p.Ticks), poet.Ticks(uint64(p.LeafCount), uint64(c.TickSize)))
			posts = append(posts, poet.PostUnits{Leaves: uint64(p.LeafCount), Units: p.Units})
		}
		got, err := poet.WeightOf(posts, uint64(c.TickSize))
		require.Equal(t, c.Error, outcome(err, ""))
		require.Equal(t, poet.Weight{Units: c.Units, Weight: uint64(c.Weight), Ticks: uint64(c.TickCount)}, got)
	})
}

func TestVectorMessage(t *testing.T) {
	vectors.Run(t, "poet/poet_proof_message", func(t *testing.T, c messageCase) {
		switch c.Kind {
		case "encode":
			checkMessageEncoding(t, c)
		case "decode":
			var msg wire.PoetProofMessage
			err := codec.Decode(c.Encoded, &msg)
			require.Equal(t, c.OK, err == nil, "%v", err)
			if c.Error != "" {
				require.Equal(t, c.Error == "trailing_bytes", errors.Is(err, codec.ErrTrailingBytes))
			}
		case "fetched_message":
			ref := wire.PoetProofRef(c.ExpectedRef)
			_, isNew, err := poet.JudgeFetched(ref, c.Encoded, c.Stored)
			result := outcome(err, "accepted")
			switch poet.Rule(result) {
			case poet.RuleLeafCount, poet.RuleIndexCount, poet.RuleMerkleRoot, poet.RuleLabel:
				result = "invalid_proof"
			}
			require.Equal(t, c.Result, result, "%v", err)
			require.Equal(t, err == nil && !c.Stored, isNew)
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}
