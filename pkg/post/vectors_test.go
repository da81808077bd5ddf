package post

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func labelerN(t testing.TB, n uint64) *Labeler {
	t.Helper()
	l, err := NewLabeler(Scrypt{N: n, R: 1, P: 1})
	require.NoError(t, err)
	return l
}

func TestVectorCommitment(t *testing.T) {
	type commitment struct {
		NodeID        vectors.Hex `json:"node_id"`
		CommitmentATX vectors.Hex `json:"commitment_atx_id"`
		Commitment    vectors.Hex
	}
	vectors.Run(t, "post/commitment", func(t *testing.T, c commitment) {
		require.Equal(t, c.Commitment.Array32(), Commitment(c.NodeID.Array32(), c.CommitmentATX.Array32()))
	})
}

func TestVectorLabels(t *testing.T) {
	type label struct {
		Commitment vectors.Hex
		N          uint64 `json:"scrypt_n"`
		Index      vectors.Uint64
		Label32    vectors.Hex
		Label16    vectors.Hex
	}
	vectors.Run(t, "post/labels", func(t *testing.T, c label) {
		got := labelerN(t, c.N).Label(Place{Commitment: c.Commitment.Array32(), Index: uint64(c.Index)})
		require.Equal(t, FullLabel(c.Label32), got)
		short := got.Short()
		require.Equal(t, []byte(c.Label16), short[:])
	})
}

func TestVectorLabelRanges(t *testing.T) {
	type labels struct {
		Commitment          vectors.Hex
		N                   uint64 `json:"scrypt_n"`
		Start, Count        vectors.Uint64
		Blake3, First, Last vectors.Hex
	}
	vectors.Run(t, "post/label_ranges", func(t *testing.T, c labels) {
		out := make([]byte, c.Count*LabelSize)
		labelerN(t, c.N).Range(c.Commitment.Array32(), uint64(c.Start), out, nil)
		require.Equal(t, c.Blake3.Array32(), blake3.Sum256(out))
		require.Equal(t, []byte(c.First), out[:LabelSize])
		require.Equal(t, []byte(c.Last), out[len(out)-LabelSize:])
	})
}

func TestVectorVRFDifficulty(t *testing.T) {
	type difficulty struct {
		NumLabels  vectors.Uint64 `json:"num_labels"`
		Difficulty vectors.Hex
		Panics     string
	}
	vectors.Run(t, "post/vrf_difficulty", func(t *testing.T, c difficulty) {
		got, err := VRFDifficulty(uint64(c.NumLabels))
		if c.Panics != "" {
			require.Equal(t, RuleVRFNumLabels, RuleOf(err))
			return
		}
		require.NoError(t, err)
		require.Equal(t, c.Difficulty.Array32(), got)
	})
}

func TestVectorVRFSearch(t *testing.T) {
	type search struct {
		Commitment vectors.Hex
		N          uint64 `json:"scrypt_n"`
		Start      vectors.Uint64
		End        vectors.Uint64 `json:"end_exclusive"`
		Difficulty vectors.Hex
		Found      bool
		Nonce      *vectors.Uint64
		Label32    vectors.Hex
	}
	vectors.Run(t, "post/vrf_search", func(t *testing.T, c search) {
		var s *NonceSearch
		if c.Difficulty != nil {
			s = &NonceSearch{Limit: c.Difficulty.Array32()}
		}
		out := make([]byte, (c.End-c.Start)*LabelSize)
		labelerN(t, c.N).Range(c.Commitment.Array32(), uint64(c.Start), out, s)
		if s == nil {
			require.False(t, c.Found)
			return
		}
		require.Equal(t, c.Found, s.Found)
		if c.Found {
			require.Equal(t, uint64(*c.Nonce), s.Nonce)
			require.Equal(t, c.Label32.Array32(), s.Limit)
		}
	})
}

func TestVectorVRFVerify(t *testing.T) {
	type claim struct {
		NodeID        vectors.Hex    `json:"node_id"`
		CommitmentATX vectors.Hex    `json:"commitment_atx_id"`
		NumUnits      uint32         `json:"num_units"`
		LabelsPerUnit vectors.Uint64 `json:"labels_per_unit"`
		N             uint64         `json:"scrypt_n"`
		Nonce         vectors.Uint64
		Valid         bool
	}
	vectors.Run(t, "post/vrf_verify", func(t *testing.T, c claim) {
		v, err := NewVerifier(Params{Scrypt: Scrypt{N: c.N, R: 1, P: 1}}, nil, 1)
		require.NoError(t, err)
		err = v.VerifyNonce(&NonceClaim{
			NodeID: c.NodeID.Array32(), CommitmentATX: c.CommitmentATX.Array32(),
			NumUnits: c.NumUnits, LabelsPerUnit: uint64(c.LabelsPerUnit), Nonce: uint64(c.Nonce),
		})
		if c.Valid {
			require.NoError(t, err)
		} else {
			require.NotEmpty(t, RuleOf(err))
		}
	})
}

func TestVectorProvingDifficulty(t *testing.T) {
	type difficulty struct {
		K1         uint32
		NumLabels  vectors.Uint64 `json:"num_labels"`
		Difficulty vectors.Uint64
		Msb        byte
		Lsb        vectors.Uint64
		Error      string
	}
	vectors.Run(t, "post/proving_difficulty", func(t *testing.T, c difficulty) {
		got, err := ProvingDifficulty(c.K1, uint64(c.NumLabels))
		if c.Error != "" {
			require.Equal(t, "InvalidNumLabels", c.Error)
			require.Equal(t, RuleNumLabels, RuleOf(err))
			return
		}
		require.NoError(t, err)
		require.Equal(t, Difficulty(c.Difficulty), got)
		require.Equal(t, c.Msb, got.Msb())
		require.Equal(t, uint64(c.Lsb), got.Lsb())
	})
}

func TestVectorPowDifficultyScaling(t *testing.T) {
	type scaling struct {
		PowDifficulty vectors.Hex `json:"pow_difficulty"`
		NumUnits      uint32      `json:"num_units"`
		Scaled        vectors.Hex
	}
	vectors.Run(t, "post/pow_difficulty_scaling", func(t *testing.T, c scaling) {
		got, err := ScalePowDifficulty(c.PowDifficulty.Array32(), c.NumUnits)
		require.NoError(t, err)
		require.Equal(t, c.Scaled.Array32(), got)
	})
}

func TestVectorRequiredBits(t *testing.T) {
	type width struct {
		NumLabels vectors.Uint64 `json:"num_labels"`
		Bits      int
	}
	vectors.Run(t, "post/required_bits", func(t *testing.T, c width) {
		require.Equal(t, c.Bits, IndexBits(uint64(c.NumLabels)))
	})
}

func uints(in []vectors.Uint64) []uint64 {
	out := make([]uint64, len(in))
	for i, v := range in {
		out[i] = uint64(v)
	}
	return out
}

func TestVectorIndexPacking(t *testing.T) {
	type packing struct {
		Bits         int
		Indices      []vectors.Uint64
		Compressed   vectors.Hex
		Decompressed []vectors.Uint64 `json:"decompressed_all"`
	}
	vectors.Run(t, "post/index_packing", func(t *testing.T, c packing) {
		require.Equal(t, []byte(c.Compressed), PackIndices(uints(c.Indices), c.Bits))
		require.Equal(t, uints(c.Decompressed), UnpackIndices(c.Compressed, c.Bits))
	})
}

func TestVectorK3Subset(t *testing.T) {
	type pick struct {
		SeedParts []string    `json:"seed_parts"`
		Seed      vectors.Hex `json:"seed"`
		NodeID    vectors.Hex `json:"node_id"`
		Challenge vectors.Hex
		K2, K3    uint32
		Picked    []int
	}
	vectors.Run(t, "post/k3_subset", func(t *testing.T, c pick) {
		if c.SeedParts != nil {
			h := blake3.New()
			for _, part := range c.SeedParts {
				raw, err := hex.DecodeString(part)
				require.NoError(t, err)
				_, _ = h.Write(raw)
			}
			require.Equal(t, c.Picked, shuffle(h.Digest(), c.K2, c.K3))
			return
		}
		require.Equal(t, c.Picked, subset(c.Seed, c.NodeID.Array32(), c.Challenge.Array32(), c.K2, c.K3))
	})
}

func TestVectorLayout(t *testing.T) {
	type layout struct {
		LabelsPerUnit vectors.Uint64 `json:"labels_per_unit"`
		NumUnits      uint32         `json:"num_units"`
		MaxFileSize   vectors.Uint64 `json:"max_file_size"`
		TotalLabels   vectors.Uint64 `json:"total_labels"`
		TotalSize     vectors.Uint64 `json:"total_size"`
		NumFiles      uint64         `json:"num_files"`
		First         vectors.Uint64 `json:"labels_in_first_file"`
		Last          vectors.Uint64 `json:"labels_in_last_file"`
	}
	vectors.Run(t, "post/layout", func(t *testing.T, c layout) {
		l, ok := NewLayout(uint64(c.LabelsPerUnit), c.NumUnits, uint64(c.MaxFileSize))
		require.True(t, ok)
		require.Equal(t, uint64(c.TotalLabels), l.Labels)
		require.Equal(t, uint64(c.TotalSize), l.Labels*LabelSize)
		require.Equal(t, c.NumFiles, l.Files)
		require.Equal(t, uint64(c.First), l.InFile(0))
		require.Equal(t, uint64(c.Last), l.InFile(l.Files-1))
	})
}

func TestShuffleIsAPermutation(t *testing.T) {
	for _, k2 := range []uint32{1, 2, 37, 300} {
		picked := subset([]byte(fmt.Sprint(k2)), wire.NodeID{}, wire.Hash32{}, k2, k2)
		slices.Sort(picked)
		for i, p := range picked {
			require.Equal(t, i, p)
		}
	}
}
