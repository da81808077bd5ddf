package post

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorCiphers(t *testing.T) {
	type ciphers struct {
		Challenge  vectors.Hex
		Nonce      uint32
		NonceGroup uint32 `json:"nonce_group"`
		Pow        vectors.Uint64
		Label      vectors.Hex
		GroupKey   vectors.Hex `json:"group_key"`
		LazyKey    vectors.Hex `json:"lazy_key"`
		GroupOut   vectors.Hex `json:"group_out"`
		LazyOut    vectors.Hex `json:"lazy_out"`
		Msb        byte
		Lsb56      vectors.Uint64
	}
	vectors.Run(t, "post/ciphers", func(t *testing.T, c ciphers) {
		challenge := wire.Hash32(c.Challenge)
		require.Equal(t, c.NonceGroup, NonceGroup(c.Nonce))
		group, lazy := GroupKey(challenge, c.NonceGroup, uint64(c.Pow)), LazyKey(challenge, c.Nonce, uint64(c.Pow))
		require.Equal(t, []byte(c.GroupKey), group[:])
		require.Equal(t, []byte(c.LazyKey), lazy[:])
		var out [16]byte
		newAES(group).Encrypt(out[:], c.Label)
		require.Equal(t, []byte(c.GroupOut), out[:])
		require.Equal(t, c.Msb, out[c.Nonce%NoncesPerGroup])
		newAES(lazy).Encrypt(out[:], c.Label)
		require.Equal(t, []byte(c.LazyOut), out[:])
		require.Equal(t, uint64(c.Lsb56), lazyValue(out[:8]))
	})
}

func TestVectorProverHits(t *testing.T) {
	type prover struct {
		Challenge  vectors.Hex
		Start      uint32         `json:"nonce_start"`
		End        uint32         `json:"nonce_end"`
		PowBase    vectors.Uint64 `json:"pow_base"`
		Difficulty vectors.Uint64
		BaseIndex  vectors.Uint64 `json:"base_index"`
		Data       vectors.Hex
		Hits       [][2]json.RawMessage
	}
	vectors.Run(t, "post/prover_hits", func(t *testing.T, c prover) {
		var want []Hit
		for _, raw := range c.Hits {
			var index vectors.Uint64
			var hit Hit
			require.NoError(t, json.Unmarshal(raw[0], &hit.Nonce))
			require.NoError(t, json.Unmarshal(raw[1], &index))
			hit.Index = uint64(index)
			want = append(want, hit)
		}
		var pows []uint64
		from, to := NonceGroups(c.Start, c.End)
		for g := from; g < to; g++ {
			pows = append(pows, uint64(c.PowBase)+uint64(g))
		}
		s, err := NewScanner(wire.Hash32(c.Challenge), c.Start, pows, Difficulty(c.Difficulty))
		require.NoError(t, err)
		require.Equal(t, want, s.Scan(c.Data, uint64(c.BaseIndex), nil))
		require.Equal(t, want, s.scanPlain(c.Data, uint64(c.BaseIndex), nil))
	})
}
