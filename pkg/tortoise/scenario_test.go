package tortoise

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

type scenario struct {
	Config scenarioConfig
	Steps  []scenarioStep
}

type scenarioConfig struct {
	Hdist, Zdist, Window uint32
	MaxExceptions        int          `json:"max_exceptions"`
	BadBeaconDelay       uint32       `json:"bad_beacon_delay"`
	LayersPerEpoch       uint32       `json:"layers_per_epoch"`
	EffectiveGenesis     wire.LayerID `json:"effective_genesis"`
}

func (c scenarioConfig) params() Params {
	return Params{
		LayersPerEpoch: c.LayersPerEpoch, EffectiveGenesis: c.EffectiveGenesis, Hdist: c.Hdist, Zdist: c.Zdist,
		Window: c.Window, MaxExceptions: c.MaxExceptions, BadBeaconDelay: c.BadBeaconDelay,
	}
}

type voteJSON struct {
	ID     vectors.Hex
	Layer  wire.LayerID
	Height uint64
}

func (v voteJSON) vote() wire.Vote {
	return wire.Vote{ID: wire.BlockID(v.ID), LayerID: v.Layer, Height: v.Height}
}

type votesJSON struct {
	Base             vectors.Hex
	Support, Against []voteJSON
	Abstain          []wire.LayerID
}

func (v votesJSON) votes() wire.Votes {
	out := wire.Votes{Base: wire.BallotID(v.Base), Abstain: v.Abstain}
	for _, s := range v.Support {
		out.Support = append(out.Support, s.vote())
	}
	for _, a := range v.Against {
		out.Against = append(out.Against, a.vote())
	}
	return out
}

type ballotJSON struct {
	ID, Smesher, ATX, Opinion, Ref vectors.Hex
	Layer                          wire.LayerID
	Eligibilities                  int
	Malicious                      bool
	Votes                          votesJSON
	EpochData                      *struct {
		Beacon        vectors.Hex
		Eligibilities uint32
	} `json:"epoch_data"`
}

func (b *ballotJSON) ballot() *Ballot {
	out := &Ballot{
		ID: wire.BallotID(b.ID), Smesher: wire.NodeID(b.Smesher), Layer: b.Layer, ATX: wire.ATXID(b.ATX),
		Opinion: wire.Hash32(b.Opinion), Proofs: b.Eligibilities, Votes: b.Votes.votes(), Malicious: b.Malicious,
	}
	if b.EpochData != nil {
		out.EpochData = &EpochData{Beacon: wire.Beacon(b.EpochData.Beacon), Slots: b.EpochData.Eligibilities}
	} else {
		out.Ref = wire.BallotID(b.Ref)
	}
	return out
}

type scenarioStep struct {
	Op                    string
	Layer, Current        wire.LayerID
	Target, Epoch         wire.EpochID
	ID, Node, Beacon      vectors.Hex
	Weight                json.RawMessage
	Height                uint64
	Block                 json.RawMessage
	Coin                  bool
	Ballot                *ballotJSON
	Error                 string
	Known, Result, Stored bool
	State                 json.RawMessage
	Opinion, Prev, Hare   vectors.Hex
	Votes                 *votesJSON
	Results               json.RawMessage
	Layers                json.RawMessage
	TotalGood             string `json:"total_good"`
	Blocks                []struct {
		Block voteJSON
		Valid bool
	}
}

// recorder turns steps into inputs.
type recorder struct{ t *testing.T }

func (r recorder) input(s *scenarioStep) (in Input, ok bool) {
	switch s.Op {
	case "atx":
		var weight uint64
		require.NoError(r.t, json.Unmarshal(s.Weight, &weight))
		in.ATX = &ATXInput{s.Target, ATX{Node: wire.NodeID(s.Node), Weight: weight, Height: s.Height}}
	case "malfeasance":
		node := wire.NodeID(s.Node)
		in.Malfeasance = &node
	case "beacon":
		in.Beacon = &BeaconInput{s.Epoch, wire.Beacon(s.Beacon)}
	case "block":
		var b voteJSON
		require.NoError(r.t, json.Unmarshal(s.Block, &b))
		header := b.vote()
		in.Block = &header
	case "hare":
		var id vectors.Hex
		require.NoError(r.t, json.Unmarshal(s.Block, &id))
		in.Hare = &HareInput{s.Layer, wire.BlockID(id)}
	case "coin":
		in.Coin = &CoinInput{s.Layer, s.Coin}
	case "ballot":
		in.Ballot = s.Ballot.ballot()
	case "tally":
		in.Tally = &s.Layer
	case "applied":
		in.Applied = &AppliedInput{s.Layer, wire.Hash32(s.Opinion)}
	default:
		return in, false
	}
	return in, true
}

// world is one instance with its index.
type world struct {
	params Params
	index  *ATXTable
	t      *Tortoise
}

func newWorld(c scenarioConfig) *world {
	index := NewATXTable()
	return &world{params: c.params(), index: index, t: New(c.params(), index)}
}

func (w *world) effects(e Effects) {
	for _, epoch := range e.DroppedEpochs {
		w.index.Drop(epoch)
	}
}

func (w *world) step(t *testing.T, i int, s scenarioStep) {
	switch s.Op {
	case "atx":
		var weight uint64
		require.NoError(t, json.Unmarshal(s.Weight, &weight))
		atx := ATX{Node: wire.NodeID(s.Node), Weight: weight, Height: s.Height}
		w.index.Add(s.Target, wire.ATXID(s.ID), atx)
		require.NoError(t, w.t.OnATX(s.Target, atx))
	case "malfeasance":
		w.index.SetMalicious(wire.NodeID(s.Node))
		w.t.OnMalfeasance(wire.NodeID(s.Node))
	case "beacon":
		w.t.OnBeacon(s.Epoch, wire.Beacon(s.Beacon))
	case "block":
		var b voteJSON
		require.NoError(t, json.Unmarshal(s.Block, &b))
		w.t.OnBlock(b.vote())
	case "hare":
		var id vectors.Hex
		require.NoError(t, json.Unmarshal(s.Block, &id))
		w.t.OnHareOutput(s.Layer, wire.BlockID(id))
	case "coin":
		w.t.OnWeakCoin(s.Layer, s.Coin)
	case "ballot":
		w.ballot(t, i, s)
	case "tally":
		w.effects(w.t.Tally(s.Layer))
		require.JSONEq(t, string(s.State), canonical(t, w.state()), "step %d", i)
	case "encode":
		w.encode(t, i, s)
	case "updates":
		require.JSONEq(t, string(s.Results), canonical(t, w.results()), "step %d", i)
	case "applied":
		ok, effects := w.t.OnApplied(s.Layer, wire.Hash32(s.Opinion))
		w.effects(effects)
		require.Equal(t, s.Result, ok, "step %d", i)
	case "dump":
		require.JSONEq(t, string(s.State), canonical(t, w.state()), "step %d", i)
		require.JSONEq(t, string(s.Layers), canonical(t, w.layers()), "step %d", i)
		require.Equal(t, s.TotalGood, text(w.t.totalGood), "step %d", i)
	default:
		w.recoveryStep(t, i, s)
	}
}

func (w *world) recoveryStep(t *testing.T, i int, s scenarioStep) {
	switch s.Op {
	case "recover_from":
		w.t.recoverFrom(s.Layer, wire.Hash32(s.Opinion), wire.Hash32(s.Prev))
	case "update_verified":
		w.t.verified = s.Layer
	case "update_last":
		w.t.updateLast(s.Layer)
	case "recovered_blocks":
		var blocks []RecoveredBlock
		for _, b := range s.Blocks {
			blocks = append(blocks, RecoveredBlock{Header: b.Block.vote(), Valid: b.Valid})
		}
		var hare *wire.BlockID
		if s.Hare != nil {
			id := wire.BlockID(s.Hare)
			hare = &id
		}
		w.t.recoverBlocks(s.Layer, blocks, hare)
	case "recovered_ballot":
		require.Equal(t, s.Stored, w.t.recoverBallot(s.Ballot.ballot()), "step %d", i)
	default:
		t.Fatalf("step %d: unknown op %q", i, s.Op)
	}
}

func (w *world) ballot(t *testing.T, i int, s scenarioStep) {
	b := s.Ballot.ballot()
	require.Equal(t, s.Known, w.t.Knows(b.ID), "step %d", i)
	d, err := w.t.Decode(b)
	if err == nil {
		var weight string
		require.NoError(t, json.Unmarshal(s.Weight, &weight))
		require.Equal(t, weight, text(d.Weight()), "step %d", i)
		require.Equal(t, s.Known, d.Known(), "step %d", i)
		err = w.t.Store(d, false)
	} else {
		require.Empty(t, s.Weight, "step %d: %v", i, err)
	}
	require.Equal(t, s.Error, class(err), "step %d", i)
}

func (w *world) encode(t *testing.T, i int, s scenarioStep) {
	opinion, err := w.t.EncodeVotes(s.Current)
	require.Equal(t, s.Error, class(err), "step %d: %v", i, err)
	if err != nil {
		return
	}
	require.Equal(t, s.Opinion.String(), opinion.Hash.String(), "step %d", i)
	want := s.Votes.votes()
	require.Equal(t, want.Base, opinion.Votes.Base, "step %d", i)
	require.Equal(t, want.Support, opinion.Votes.Support, "step %d", i)
	require.Equal(t, want.Against, opinion.Votes.Against, "step %d", i)
	require.Equal(t, len(want.Abstain), len(opinion.Votes.Abstain), "step %d", i)
	if len(want.Abstain) > 0 {
		require.Equal(t, want.Abstain, opinion.Votes.Abstain, "step %d", i)
	}
}

type object = map[string]any

func (w *world) state() object {
	s := w.t.Status()
	return object{
		"last": s.Last, "processed": s.Processed, "verified": s.Verified, "evicted": s.Evicted, "pending": s.Pending,
		"mode": s.Mode.String(), "counted": s.Counted, "local_threshold": text(s.LocalThreshold), "retriable": s.Retriable,
	}
}

func (w *world) results() []object {
	out := []object{}
	for _, r := range w.t.Updates() {
		blocks := []object{}
		for _, b := range r.Blocks {
			flags := ""
			for _, f := range []struct {
				on   bool
				name string
			}{{b.Valid, "v"}, {b.Invalid, "i"}, {b.Hare, "h"}, {b.Data, "d"}, {b.Local, "l"}} {
				if f.on {
					flags += f.name
				}
			}
			blocks = append(blocks, object{"id": b.Header.ID.String(), "height": b.Header.Height, "flags": flags})
		}
		out = append(out, object{
			"layer": r.Layer, "verified": r.Verified, "opinion": r.Opinion.String(),
			"first_valid": r.FirstValid().String(), "blocks": blocks,
		})
	}
	return out
}

func (w *world) layers() []object {
	out := []object{}
	for id := w.t.evicted + 1; id <= w.t.processed; id++ {
		l := w.t.layers.get(id)
		blocks := []object{}
		for _, b := range l.blocks {
			blocks = append(blocks, object{
				"id": b.id.String(), "height": b.height, "hare": b.hare, "validity": b.validity, "margin": text(b.margin), "data": b.data,
			})
		}
		out = append(out, object{
			"layer": l.id, "opinion": l.opinion.String(), "terminated": l.terminated, "coin": l.coin, "ref_height": l.refHeight,
			"empty": text(l.emptyMargin), "good_uncounted": text(l.goodUncounted), "blocks": blocks,
		})
	}
	return out
}
