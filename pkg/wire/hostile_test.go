package wire

import (
	"bytes"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
)

// What decoding may allocate: a fixed part for the message itself and a
// multiple of the input. The worst byte is that of a list of empty byte
// strings: a slice header of 24 bytes, which the growth of the list copies twice.
const (
	allocBase     = 8 << 10
	allocMultiple = 80
)

// allocated is how many bytes f takes from the heap. What looks like too much is
// measured again: the runtime allocates now and then, too.
func allocated(f func()) (least uint64) {
	least = math.MaxUint64
	for range 4 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= allocBase {
			break
		}
	}
	return least
}

// requireHarmless checks what holds for any input: decoding ends in a value or an
// error, in bounded memory, without touching the input; a value has one canonical
// form, which decodes to the same value, and shares nothing with the input.
func requireHarmless(t *testing.T, name string, input []byte) {
	t.Helper()
	message, copied := every[name](), slices.Clone(input)
	var err error
	used := allocated(func() { err = codec.Decode(input, message) })
	require.LessOrEqual(t, used, uint64(allocBase+allocMultiple*len(input)), "%s of %d bytes", name, len(input))
	require.True(t, bytes.Equal(copied, input), "the input changed")
	if err != nil {
		return
	}
	clear(copied)
	canonical, err := codec.Encode(message)
	require.NoError(t, err)
	require.LessOrEqual(t, len(canonical), len(input), "the canonical form is the shortest")
	again := every[name]()
	require.NoError(t, codec.Decode(canonical, again))
	require.Equal(t, message, again)
	require.True(t, bytes.Equal(canonical, codec.MustEncode(again)))

	scribbled := every[name]()
	alias := slices.Clone(canonical)
	require.NoError(t, codec.Decode(alias, scribbled))
	clear(alias)
	require.True(t, bytes.Equal(canonical, codec.MustEncode(scribbled)), "the value shares memory with the input")
	requireNamed(t, message)
}

// requireNamed computes what is derived from a message: it must not panic, and
// the same message has the same name.
func requireNamed(t *testing.T, message codec.Coded) {
	t.Helper()
	switch m := message.(type) {
	case *ActivationTxV1:
		require.Equal(t, m.ID(), m.ID())
		m.NIPostChallengeV1.Hash()
	case *ActivationTxV2:
		require.Equal(t, m.ID(), m.ID())
		m.TotalNumUnits()
	case *RequestBatch:
		m.BatchID()
	case *MalfeasanceProof:
		m.Data.MaliciousID()
	}
	if signed, ok := message.(interface{ SignedBytes() []byte }); ok {
		require.Equal(t, signed.SignedBytes(), signed.SignedBytes())
	}
}

// FuzzMessages decodes arbitrary bytes as every type.
func FuzzMessages(f *testing.F) {
	for _, s := range samples(f) {
		if kind := slices.Index(names, s.Type); kind >= 0 && len(s.Encoded) <= 1<<14 {
			f.Add(uint8(kind), []byte(s.Encoded))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, input []byte) {
		requireHarmless(t, names[int(kind)%len(names)], input)
	})
}

// FuzzPublishEpoch reads the epoch of arbitrary blobs.
func FuzzPublishEpoch(f *testing.F) {
	for _, s := range samples(f) {
		if s.Type == "ActivationTxV1" && len(s.Encoded) < 1<<12 {
			f.Add([]byte(s.Encoded))
		}
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		epoch, err := PublishEpochOf(input)
		var v1 ActivationTxV1
		if codec.Decode(input, &v1) == nil {
			require.NoError(t, err)
			require.Equal(t, v1.PublishEpoch, epoch)
		}
		if err != nil {
			require.Zero(t, epoch)
		}
	})
}

// TestSamplesAreHarmless holds every vector, however large, to the same rules.
func TestSamplesAreHarmless(t *testing.T) {
	for _, s := range samples(t) {
		require.Contains(t, every, s.Type)
		requireHarmless(t, s.Type, s.Encoded)
	}
}

// TestDeclaredLengthsAllocateNothing declares as many elements as the limit
// allows, or more than there can be, and sends none.
func TestDeclaredLengthsAllocateNothing(t *testing.T) {
	id := make([]byte, 32)
	hostile := []struct {
		name   string
		before []byte // fields ahead of the length
		limit  uint64
	}{
		{"EpochActiveSet", []byte{0}, MaxActiveSet},
		{"fetch.EpochData", nil, MaxActiveSet},
		{"fetch.MaliciousIDs", nil, MaxActiveSet},
		{"fetch.LayerData", nil, MaxLayerBallots},
		{"fetch.MeshHashes", nil, MaxMeshHashes},
		{"fetch.ResponseMessage", id, MaxResponseData},
		{"fetch.ResponseBatch", id, MaxBatchRequests},
		{"fetch.RequestBatch", id, MaxBatchRequests},
		{"server.Response", nil, MaxResponseData},
		{"ATXProof", []byte{0, 0}, maxATXProof},
		{"Votes", id[:20], MaxVotes},
		{"Block", []byte{0, 0}, MaxBlockRewards},
		{"Certificate", id[:20], MaxCertificateMessages},
		{"PoetProof", []byte{0}, MaxProvenLeaves},
		{"PoetProof", []byte{0, 0}, MaxPoetProofNodes},
		{"NiPostsV2", append([]byte{0}, id...), MaxSubPosts},
		{"hare4.CompactIdResponse", nil, MaxCompactResponse},
		{"MerkleProofV1", nil, MaxMembershipNodes},
	}
	for _, h := range hostile {
		for limit, class := range map[uint64]error{h.limit: codec.ErrEOF, h.limit + 1: codec.ErrTooManyElements, 1<<32 - 1: codec.ErrTooManyElements} {
			input := codec.AppendCompact(slices.Clone(h.before), limit)
			var err error
			message := every[h.name]()
			used := allocated(func() { err = codec.Decode(input, message) })
			require.ErrorIs(t, err, class, "%s of %d", h.name, limit)
			require.Less(t, used, uint64(4<<10), "%s of %d", h.name, limit)
		}
	}
}

// TestSmallElementsAllocateLittle fills lists with the elements that are largest
// in memory against their bytes on the wire, in lists of lists too.
func TestSmallElementsAllocateLittle(t *testing.T) {
	strings := codec.AppendCompact([]byte{0}, MaxProvenLeaves)
	strings = append(strings, make([]byte, MaxProvenLeaves)...)
	strings = codec.AppendCompact(strings, MaxPoetProofNodes)
	strings = append(strings, make([]byte, MaxPoetProofNodes+1)...)

	atx := make([]byte, 1+32+24+1+1) // from the epoch to previous ATXs, all empty
	atx = codec.AppendCompact(atx, MaxNiPosts)
	for range MaxNiPosts {
		atx = append(atx, make([]byte, 1+32)...) // membership and challenge
		atx = codec.AppendCompact(atx, MaxSubPosts)
		atx = append(atx, make([]byte, 7*MaxSubPosts)...) // sub-posts with every field zero
	}
	atx = append(atx, make([]byte, 3+32+64)...) // the rest

	votes := make([]byte, 20)
	for _, size := range []int{22, 22, 1} {
		votes = codec.AppendCompact(votes, MaxVotes)
		votes = append(votes, make([]byte, size*MaxVotes)...)
	}
	for name, input := range map[string][]byte{"PoetProof": strings, "ActivationTxV2": atx, "Votes": votes} {
		require.NoError(t, codec.Decode(input, every[name]()), name)
		requireHarmless(t, name, input)
	}
}
