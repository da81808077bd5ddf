package catchup

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/peer"
	"github.com/smeshery/smeshery/pkg/peer/fetch"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorSyncState(t *testing.T) {
	vectors.Run(t, "p2p/sync_state", func(t *testing.T, c struct {
		Genesis   wire.LayerID `json:"effective_genesis"`
		Layers    uint32       `json:"layers_per_epoch"`
		Threshold uint32       `json:"threshold"`
		Synced    wire.LayerID `json:"initial_last_synced"`
		Processed wire.LayerID `json:"initial_processed"`
		Steps     []struct {
			Current    wire.LayerID `json:"current"`
			OK         bool         `json:"run_ok"`
			LastSynced wire.LayerID `json:"last_synced_after_run"`
			Processed  wire.LayerID `json:"processed"`
			StateError bool         `json:"state_run_error"`
			Before     string       `json:"state_before_run"`
			After      string       `json:"state_after_run"`
			WaitOver   bool         `json:"gossip_wait_over"`
			Restarted  bool         `json:"gossip_wait_restarted"`
			GossipGate bool         `json:"gossip_gate_open"`
			ATXGate    bool         `json:"atx_gate_open"`
		} `json:"steps"`
	},
	) {
		s := NewState(Params{c.Genesis, c.Layers, c.Threshold, time.Minute})
		now := time.Unix(1_700_000_000, 0)
		p := Progress{LastSynced: c.Synced, Processed: c.Processed}
		for i, step := range c.Steps {
			p.Current = step.Current
			s.BeforeRun(p)
			require.Equal(t, step.Before, s.Sync().String(), "step %d", i)
			now = now.Add(time.Second)
			if step.WaitOver {
				now = now.Add(time.Minute)
			} else {
				s.target = now.Add(time.Second)
			}
			old := s.target
			p = Progress{step.Current, step.LastSynced, step.Processed, step.StateError}
			s.AfterRun(now, step.OK, p)
			require.Equal(t, step.After, s.Sync().String(), "step %d", i)
			require.Equal(t, step.Restarted, s.target != old, "step %d", i)
			require.Equal(t, step.GossipGate, s.Listens(), "step %d", i)
			require.Equal(t, step.ATXGate, s.ATXSynced(), "step %d", i)
		}
	})
}

// tagged is the vectors' hash of a layer.
func tagged(tag string, layer wire.LayerID) wire.Hash32 {
	return wire.Sum(fmt.Appendf(nil, "%s-%d", tag, layer))
}

// chain is a node that has the peer's hashes below the layer where it differs.
type chain struct {
	differs, last wire.LayerID
}

func (c *chain) Hash(layer wire.LayerID) (wire.Hash32, bool) {
	if layer > c.last {
		return wire.Hash32{}, false
	}
	if layer < c.differs {
		return tagged("peer", layer), true
	}
	return tagged("node", layer), true
}

func TestVectorForkFinder(t *testing.T) {
	vectors.Run(t, "p2p/fork_finder", func(t *testing.T, c struct {
		Genesis  wire.LayerID `json:"effective_genesis"`
		Differs  wire.LayerID `json:"node_differs_from_layer"`
		Last     wire.LayerID `json:"node_last_layer"`
		Disputed wire.LayerID `json:"disputed_layer"`
		Cached   *struct {
			Layer wire.LayerID `json:"layer"`
			Tag   string       `json:"hash_tag"`
		} `json:"cached_agreement"`
		Script   string `json:"script"`
		Requests []struct {
			From    wire.LayerID `json:"from"`
			To      wire.LayerID `json:"to"`
			Step    uint32       `json:"step"`
			Count   int          `json:"count"`
			Encoded vectors.Hex  `json:"encoded"`
		} `json:"requests"`
		Outcome string       `json:"outcome"`
		Fork    wire.LayerID `json:"fork"`
		After   int          `json:"cached_agreements_after"`
	},
	) {
		now := time.Unix(1_700_000_000, 0)
		finder := NewForkFinder(c.Genesis)
		if c.Cached != nil {
			finder.Agree(now, "peer", c.Cached.Layer, tagged(c.Cached.Tag, c.Cached.Layer))
		}
		own := &chain{c.Differs, c.Last}
		search := finder.Search("peer", c.Disputed, tagged("peer", c.Disputed), own)
		for i := 0; ; i++ {
			request, ok := search.Next()
			require.Equal(t, i < len(c.Requests), ok)
			if !ok {
				break
			}
			want := c.Requests[i]
			require.Equal(t, wire.MeshHashRequest{From: want.From, To: want.To, Step: want.Step}, request)
			require.Equal(t, []byte(want.Encoded), codec.MustEncode(&request))
			count, err := fetch.MeshHashCount(request)
			require.NoError(t, err)
			require.Equal(t, want.Count, count)
			hashes := answer(t, request)
			switch c.Script {
			case "":
			case "drops the last hash of the first response":
				hashes = hashes[:len(hashes)-1]
			case "first hash of the first response replaced by 32 bytes 0x11":
				hashes[0] = elevens()
			case "last hash of the second response replaced by 32 bytes 0x11":
				if i == 1 {
					hashes[len(hashes)-1] = elevens()
				}
			case "before the first response the node's hash of every layer becomes equal to the peer's":
				own.differs = 1 << 31
			case "the first request fails":
				search.Fail(errors.New("failed"))
				continue
			default:
				t.Fatalf("unknown script %q", c.Script)
			}
			search.Answer(now, hashes)
		}
		fork, err := search.Fork()
		require.Equal(t, c.Outcome, outcome(err), "%v", err)
		if err == nil {
			require.Equal(t, c.Fork, fork)
		}
		require.Equal(t, c.After, finder.Agreements())
	})
}

func elevens() (h wire.Hash32) {
	for i := range h {
		h[i] = 0x11
	}
	return h
}

func answer(t require.TestingT, request wire.MeshHashRequest) (hashes []wire.Hash32) {
	layers, err := fetch.MeshHashLayers(request)
	require.NoError(t, err)
	for _, layer := range layers {
		hashes = append(hashes, tagged("peer", layer))
	}
	return hashes
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "fork"
	case errors.Is(err, ErrPeerChanged):
		return "peer_changed"
	case errors.Is(err, ErrNodeChanged):
		return "node_changed"
	}
	return "error"
}

// Three requests reach 99³ layers (spec 08 §9.3).
func TestSearchFindsEveryFork(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		genesis := wire.LayerID(rapid.Uint32Range(0, 100).Draw(rt, "genesis"))
		distance := rapid.Uint32Range(1, 970_299).Draw(rt, "distance")
		differs := genesis + wire.LayerID(rapid.Uint32Range(1, distance).Draw(rt, "differs"))
		disputed := genesis + wire.LayerID(distance)
		finder := NewForkFinder(genesis)
		own := &chain{differs, disputed}
		search := finder.Search("peer", disputed, tagged("peer", disputed), own)
		requests := 0
		for {
			request, ok := search.Next()
			if !ok {
				break
			}
			if requests++; requests > 4 {
				rt.Fatal("no end")
			}
			search.Answer(time.Time{}, answer(rt, request))
		}
		fork, err := search.Fork()
		require.NoError(rt, err)
		require.Equal(rt, differs-1, fork)
	})
}

// A peer may answer anything; the search must end.
func FuzzSearch(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint32(500), uint32(20))
	f.Fuzz(func(t *testing.T, script []byte, disputed, differs uint32) {
		finder := NewForkFinder(5)
		own := &chain{wire.LayerID(differs), 1 << 31}
		search := finder.Search("peer", wire.LayerID(disputed), tagged("peer", wire.LayerID(disputed)), own)
		for range 100 {
			request, ok := search.Next()
			if !ok {
				return
			}
			hashes := answer(t, request)
			if len(script) > 0 {
				hashes[int(script[0])%len(hashes)][0] ^= script[0]
				if script[0]%7 == 0 {
					hashes = hashes[:int(script[0])%len(hashes)]
				}
				script = script[1:]
			}
			search.Answer(time.Time{}, hashes)
		}
		t.Fatal("no end")
	})
}

func TestOnlyNewDisputesAreWorthASearch(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := NewForkFinder(5)
	own, other := tagged("node", 9), tagged("peer", 9)
	used := map[peer.ID]struct{}{"used": {}}
	require.False(t, Disputed(own, []Opinion{{"a", own}, {"b", wire.Hash32{}}}))
	require.True(t, Disputed(own, []Opinion{{"a", own}, {"b", other}}))
	require.False(t, f.Worth(now, 9, own, Opinion{"a", wire.Hash32{}}, used))
	require.False(t, f.Worth(now, 9, own, Opinion{"used", other}, used))
	require.False(t, f.Worth(now, 9, own, Opinion{"a", own}, used))
	require.Equal(t, 1, f.Agreements())
	require.True(t, f.Worth(now, 9, own, Opinion{"b", other}, used))
	f.Resynced(now, 9, other)
	require.False(t, f.Worth(now, 9, own, Opinion{"b", other}, used))
	f.Purge(now, nil)
	require.Equal(t, 1, f.Agreements())
	f.Purge(now.Add(1), []peer.ID{"a"})
	require.Equal(t, 1, f.Agreements())
	require.True(t, f.Worth(now, 9, own, Opinion{"b", other}, used))
	f.Purge(now.Add(1), nil)
	require.Zero(t, f.Agreements())
}
