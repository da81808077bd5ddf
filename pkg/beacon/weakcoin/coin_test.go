package weakcoin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// anyone has a nonce, as many units as anybody asks for, and true proofs.
type anyone struct{}

func (anyone) Nonce(wire.NodeID, wire.EpochID) (uint64, bool)        { return 1, true }
func (anyone) Units(wire.NodeID, wire.EpochID) uint32                { return 1 << 31 }
func (anyone) VerifyVRF(wire.NodeID, []byte, wire.VrfSignature) bool { return true }

func message(epoch wire.EpochID, round uint32, first byte) []byte {
	return codec.MustEncode(&wire.WeakCoinMessage{Epoch: epoch, Round: round, VRFSignature: wire.VrfSignature{first}})
}

// Early messages are kept unverified, whoever sends them, so their number is
// bounded (spec 05 §21.9).
func TestBufferIsBoundedAndEmptiedByARound(t *testing.T) {
	c := New(NewParams(5), anyone{})
	c.StartEpoch(7)
	for range DefaultBuffer {
		require.Equal(t, Buffered, c.Handle(message(7, 1, 1)))
	}
	require.Equal(t, WrongRound, c.Handle(message(7, 1, 1)))
	c.StartRound(1)
	require.Empty(t, c.buffer)
	require.Equal(t, NotSmallest, c.Handle(message(7, 1, 1)))
	require.Equal(t, Accepted, c.Handle(message(7, 1, 0)))
	coin, ok := c.FinishRound()
	require.True(t, ok)
	require.False(t, coin)
}

func TestMessagesOfOtherEpochsWrapNowhere(t *testing.T) {
	c := New(NewParams(5), anyone{})
	c.StartEpoch(1<<32 - 1)
	c.StartRound(1<<32 - 1)
	require.Equal(t, WrongRound, c.Handle(message(0, 0, 1)))
	require.Equal(t, WrongRound, c.Handle(message(1<<32-1, 0, 1)))
}

func TestOwnTossIsTheSmallestProof(t *testing.T) {
	c := New(NewParams(5), anyone{})
	proofs := []wire.VrfSignature{{79: 3}, {79: 1}, {0: 1, 79: 1}, {79: 1}}
	require.Nil(t, c.Own(wire.NodeID{1}, proofs), "no round is open")
	c.StartEpoch(7)
	c.StartRound(1)
	own := c.Own(wire.NodeID{1}, proofs)
	require.Equal(t, uint32(1), own.Unit, "the first of equals")
	require.Equal(t, Accepted, c.Handle(codec.MustEncode(own)))
	require.Nil(t, c.Own(wire.NodeID{2}, proofs))
	require.Nil(t, c.Own(wire.NodeID{2}, nil))
}

func FuzzHandle(f *testing.F) {
	f.Add(message(7, 1, 1))
	f.Add(message(8, 1, 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := New(Params{MaxRound: 3, Buffer: 2, Threshold: wire.VrfSignature{79: 0x80}}, anyone{})
		c.StartEpoch(7)
		for round := range uint32(4) {
			c.Handle(raw)
			c.StartRound(round)
			c.Handle(raw)
			require.LessOrEqual(t, len(c.buffer), 2)
			c.FinishRound()
		}
		c.FinishEpoch()
		c.Handle(raw)
	})
}

func BenchmarkHandle(b *testing.B) {
	c := New(NewParams(5), anyone{})
	c.StartEpoch(7)
	c.StartRound(1)
	raw := message(7, 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		c.Handle(raw)
	}
}
