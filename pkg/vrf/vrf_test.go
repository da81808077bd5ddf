package vrf

import (
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/ecvrf"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorECVRF(t *testing.T) {
	type vrfCase struct {
		Seed      vectors.Hex `json:"seed"`
		PublicKey vectors.Hex `json:"public_key"`
		Message   vectors.Hex `json:"message"`
		Proof     vectors.Hex `json:"proof"`
		Valid     bool        `json:"valid"`
		LSB       *uint8      `json:"lsb"`
	}
	vectors.Run(t, "crypto/ecvrf", func(t *testing.T, c vrfCase) {
		if len(c.Proof) != len(wire.VrfSignature{}) {
			require.False(t, c.Valid, "the type admits 80 bytes only")
			return
		}
		proof := wire.VrfSignature(c.Proof)
		require.Equal(t, c.Valid, Verify(wire.NodeID(c.PublicKey), c.Message, proof))
		if c.Seed != nil {
			require.Equal(t, proof, Prove(c.Seed.Array32(), c.Message))
		}
		if c.LSB != nil {
			require.Equal(t, *c.LSB, LSB(proof))
		}
	})
}

func TestVectorCompare(t *testing.T) {
	type compareCase struct {
		A    vectors.Hex `json:"a"`
		B    vectors.Hex `json:"b"`
		Cmp  int         `json:"cmp"`
		LSBA uint8       `json:"lsb_a"`
		LSBB uint8       `json:"lsb_b"`
	}
	vectors.Run(t, "crypto/vrf_compare", func(t *testing.T, c compareCase) {
		a, b := wire.VrfSignature(c.A), wire.VrfSignature(c.B)
		require.Equal(t, c.Cmp, Compare(a, b))
		require.Equal(t, -c.Cmp, Compare(b, a))
		require.Equal(t, c.LSBA, LSB(a))
		require.Equal(t, c.LSBB, LSB(b))
	})
}

func TestVectorMessages(t *testing.T) {
	type messageCase struct {
		Type          Eligibility             `json:"eligibility_type"`
		Beacon        vectors.Hex             `json:"beacon"`
		Epoch         wire.EpochID            `json:"epoch"`
		Nonce         vectors.Uint64          `json:"vrf_nonce"`
		Counter       uint32                  `json:"counter"`
		Round         uint32                  `json:"round"`
		Unit          uint32                  `json:"unit"`
		Layer         wire.LayerID            `json:"layer"`
		Message       vectors.Hex             `json:"message"`
		Seed          vectors.Hex             `json:"seed"`
		PublicKey     vectors.Hex             `json:"public_key"`
		Proof         vectors.Hex             `json:"proof"`
		EligibleLayer map[string]wire.LayerID `json:"eligible_layer"`
	}
	vectors.Run(t, "types/vrf_messages", func(t *testing.T, c messageCase) {
		var message []byte
		switch c.Type {
		case EligibleBeacon:
			message = (&BeaconMessage{uint64(c.Nonce), c.Epoch}).Bytes()
		case EligibleHare:
			message = (&HareMessage{wire.Beacon(c.Beacon), c.Round, c.Layer}).Bytes()
		case EligibleVoting:
			message = (&VotingMessage{wire.Beacon(c.Beacon), c.Epoch, uint64(c.Nonce), c.Counter}).Bytes()
		case EligibleWeakCoin:
			message = (&WeakCoinMessage{uint64(c.Nonce), c.Epoch, c.Round, c.Unit}).Bytes()
		default:
			t.Fatalf("type %d", c.Type)
		}
		require.Equal(t, []byte(c.Message), message)
		proof := Prove(c.Seed.Array32(), message)
		require.Equal(t, wire.VrfSignature(c.Proof), proof)
		require.True(t, Verify(wire.NodeID(c.PublicKey), message, proof))
		for layers, want := range c.EligibleLayer {
			perEpoch, err := strconv.ParseUint(layers, 10, 32)
			require.NoError(t, err)
			require.Equal(t, want, EligibleLayer(proof, c.Epoch, uint32(perEpoch)), layers)
		}
	})
}

func TestMessagesKeepApart(t *testing.T) {
	var hare HareMessage
	require.ErrorIs(t, codec.Decode((&BeaconMessage{}).Bytes(), &hare), codec.ErrUnknownProofType)
}

func TestCompareIsLittleEndianOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (p wire.VrfSignature) {
			copy(p[:], rapid.SliceOfN(rapid.ByteRange(0, 2), 80, 80).Draw(t, name))
			return p
		}
		number := func(p wire.VrfSignature) *big.Int {
			slices.Reverse(p[:])
			return new(big.Int).SetBytes(p[:])
		}
		a, b := draw("a"), draw("b")
		if Compare(a, b) != number(a).Cmp(number(b)) {
			t.Fatal("order")
		}
	})
}

// The library's own verifier is the second implementation.
func FuzzVerify(f *testing.F) {
	seed := [32]byte{1}
	id := signing.NewKey(seed).NodeID()
	proof := Prove(seed, []byte("m"))
	f.Add(id[:], []byte("m"), proof[:])
	f.Fuzz(func(t *testing.T, key, message, proof []byte) {
		var p wire.VrfSignature
		copy(p[:], proof)
		id := wire.NodeID(wire.LeftAligned32(key))
		want, _ := ecvrf.Verify(id[:], p[:], message)
		require.Equal(t, want, Verify(id, message, p))
	})
}

func BenchmarkVerify(b *testing.B) {
	seed := [32]byte{1}
	id, message := signing.NewKey(seed).NodeID(), (&VotingMessage{}).Bytes()
	proof := Prove(seed, message)
	b.ReportAllocs()
	for b.Loop() {
		if !Verify(id, message, proof) {
			b.Fatal("invalid")
		}
	}
}

func BenchmarkVerifyWithKey(b *testing.B) {
	seed := [32]byte{1}
	key, _ := NewKey(signing.NewKey(seed).NodeID())
	message := (&VotingMessage{}).Bytes()
	proof := Prove(seed, message)
	b.ReportAllocs()
	for b.Loop() {
		if !key.Verify(message, proof) {
			b.Fatal("invalid")
		}
	}
}

func BenchmarkLibraryVerify(b *testing.B) {
	seed := [32]byte{1}
	id, message := signing.NewKey(seed).NodeID(), (&VotingMessage{}).Bytes()
	proof := Prove(seed, message)
	b.ReportAllocs()
	for b.Loop() {
		if ok, _ := ecvrf.Verify(id[:], proof[:], message); !ok {
			b.Fatal("invalid")
		}
	}
}

func BenchmarkProve(b *testing.B) {
	message := (&VotingMessage{}).Bytes()
	b.ReportAllocs()
	for b.Loop() {
		Prove([32]byte{1}, message)
	}
}
