package checkpoint_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/checkpoint"
	"github.com/smeshery/smeshery/pkg/wire"
)

var errNotStored = errors.New("not stored")

func id(n byte) wire.ATXID { return wire.ATXID{n} }

// chain is a database of ATXs.
type chain map[wire.ATXID]checkpoint.Links

func (c chain) lookup(id wire.ATXID) (checkpoint.Links, error) {
	links, ok := c[id]
	if !ok {
		return links, errNotStored
	}
	return links, nil
}

var golden = wire.ATXID{0xff}

func testChain() chain {
	return chain{
		id(1): {PublishEpoch: 1, Commitment: golden, Positioning: golden, PoetProofs: []wire.PoetProofRef{{1}}},
		id(2): {PublishEpoch: 2, Positioning: golden, Previous: []wire.ATXID{id(1)}, PoetProofs: []wire.PoetProofRef{{2}}},
		id(3): {PublishEpoch: 3, Positioning: id(4), Previous: []wire.ATXID{id(2)}, PoetProofs: []wire.PoetProofRef{{3}}},
		id(4): {PublishEpoch: 2, Commitment: golden, Positioning: golden, PoetProofs: []wire.PoetProofRef{{2}}},
		id(5): {PublishEpoch: 1, FromCheckpoint: true},
		id(6): {PublishEpoch: 4, Previous: []wire.ATXID{id(5)}},
	}
}

func TestPreserve(t *testing.T) {
	inNew := func(i wire.ATXID) bool { return i == id(1) }
	got := checkpoint.Preserve([]checkpoint.Own{{Latest: id(3)}}, golden, inNew, testChain().lookup)
	require.Equal(t, []wire.ATXID{id(2), id(4), id(3)}, got.ATXs)
	require.Equal(t, []wire.PoetProofRef{{2}, {3}}, got.PoetProofs)
	require.Empty(t, got.Failed)
}

// One identity's loss does not drag others along.
func TestPreserveLosesOnlyWhatItMust(t *testing.T) {
	never := func(wire.ATXID) bool { return false }
	own := []checkpoint.Own{{Smesher: wire.NodeID{9}, Latest: id(6)}, {Latest: id(1)}, {Smesher: wire.NodeID{8}, Latest: id(77)}}
	got := checkpoint.Preserve(own, golden, never, testChain().lookup)
	require.Equal(t, []wire.ATXID{id(1)}, got.ATXs)
	require.Len(t, got.Failed, 2)
	require.Equal(t, wire.NodeID{9}, got.Failed[0].Smesher)
	require.ErrorIs(t, got.Failed[0].Err, checkpoint.ErrLost)
	require.ErrorIs(t, got.Failed[1].Err, errNotStored)
}

// An identity that builds its first ATX on a positioning ATX that is in no
// checkpoint, and has no commitment yet, crashes the network's software.
func TestPreserveFirstATXWithoutCommitment(t *testing.T) {
	never := func(wire.ATXID) bool { return false }
	got := checkpoint.Preserve([]checkpoint.Own{{Positioning: id(4)}, {}}, golden, never, testChain().lookup)
	require.Equal(t, []wire.ATXID{id(4)}, got.ATXs)
	require.Empty(t, got.Failed)
}

// Whatever the graph, cycles included: the walk ends, takes nothing that is in
// the checkpoint, and takes everything a preserved ATX refers to.
func TestPreserveIsClosed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chain{}
		draw := rapid.Map(rapid.ByteRange(0, 12), id)
		for i := range byte(12) {
			c[id(i+1)] = checkpoint.Links{
				PublishEpoch: wire.EpochID(rapid.Uint32Range(0, 5).Draw(t, "epoch")), Commitment: draw.Draw(t, "commitment"),
				Positioning: draw.Draw(t, "positioning"), Previous: rapid.SliceOfN(draw, 0, 3).Draw(t, "previous"),
			}
		}
		known := func(i wire.ATXID) bool { return i[0]%5 == 0 }
		got := checkpoint.Preserve([]checkpoint.Own{{Latest: draw.Draw(t, "latest")}}, golden, known, c.lookup)
		require.Empty(t, got.Failed)
		have := map[wire.ATXID]bool{}
		for i, a := range got.ATXs {
			require.False(t, known(a) || have[a])
			require.True(t, i == 0 || c[got.ATXs[i-1]].PublishEpoch <= c[a].PublishEpoch)
			have[a] = true
		}
		for a := range have {
			for _, to := range append(c[a].Previous, c[a].Commitment, c[a].Positioning) {
				require.True(t, known(to) || have[to])
			}
		}
	})
}

func TestRecovery(t *testing.T) {
	needed, genesis := checkpoint.Recovery(0, 24)
	require.True(t, needed)
	require.EqualValues(t, 23, genesis)
	needed, genesis = checkpoint.Recovery(30, 24)
	require.False(t, needed)
	require.EqualValues(t, 29, genesis)
}
