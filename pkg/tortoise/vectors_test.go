package tortoise

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

func text(x fixed.Number) string {
	raw, _ := x.AppendBinary(nil)
	return hex.EncodeToString(raw)
}

func TestVectorsMedianHeight(t *testing.T) {
	type medianCase struct {
		Heights []uint64
		Median  uint64
	}
	vectors.Run(t, "tortoise/median_height", func(t *testing.T, c medianCase) {
		require.Equal(t, c.Median, MedianHeight(c.Heights))
	})
}

func TestVectorsOpinionHash(t *testing.T) {
	type opinionCase struct {
		Prev    vectors.Hex
		Abstain bool
		Support []struct {
			ID     vectors.Hex
			Height vectors.Uint64
		}
		Opinion string
	}
	vectors.Run(t, "tortoise/opinion_hash", func(t *testing.T, c opinionCase) {
		var prev *wire.Hash32
		if c.Prev != nil {
			hash := wire.Hash32(c.Prev.Array32())
			prev = &hash
		}
		var supported []wire.Vote
		for _, s := range c.Support {
			supported = append(supported, wire.Vote{ID: wire.BlockID(s.ID), Height: uint64(s.Height)})
		}
		require.Equal(t, c.Opinion, OpinionHash(prev, c.Abstain, supported).String())
	})
}

func TestVectorsMeshHashChain(t *testing.T) {
	type chainCase struct {
		Hdist  uint32
		Last   wire.LayerID
		Layers []struct {
			Layer      wire.LayerID
			Terminated bool
			Opinion    string
			Blocks     []struct {
				ID             vectors.Hex
				Height         uint64
				Hare, Validity int8
			}
		}
	}
	vectors.Run(t, "tortoise/mesh_hash_chain", func(t *testing.T, c chainCase) {
		s := New(Params{LayersPerEpoch: 4, EffectiveGenesis: c.Layers[0].Layer, Hdist: c.Hdist, Window: 100}, NewATXTable())
		s.updateLast(c.Last)
		for i, want := range c.Layers {
			l := s.layers.at(want.Layer)
			l.terminated, l.linked = want.Terminated, i > 0
			for _, b := range want.Blocks {
				l.insert(&block{
					id: wire.BlockID(b.ID), layer: want.Layer, height: b.Height, hare: b.Hare, validity: b.Validity, registered: true,
				})
			}
			l.opinion = s.localOpinion(l)
			require.Equal(t, want.Opinion, l.opinion.String(), "layer %d", want.Layer)
		}
	})
}

func TestVectorsThresholds(t *testing.T) {
	type thresholdCase struct {
		LayersPerEpoch uint32 `json:"layers_per_epoch"`
		Epochs         []struct {
			Epoch  wire.EpochID
			Weight uint64
		}
		Target, Last, Processed wire.LayerID
		Window                  uint32
		Expected                string `json:"expected_weight"`
		Windowed                string `json:"expected_weight_in_window"`
		Local                   string `json:"local_threshold"`
		Global                  string `json:"global_threshold"`
	}
	vectors.Run(t, "tortoise/thresholds", func(t *testing.T, c thresholdCase) {
		s := New(Params{LayersPerEpoch: c.LayersPerEpoch, EffectiveGenesis: 1, Window: c.Window}, NewATXTable())
		for _, e := range c.Epochs {
			require.NoError(t, s.OnATX(e.Epoch, ATX{Weight: e.Weight}))
		}
		s.updateLast(c.Last)
		s.updateLocalThreshold()
		s.processed = c.Processed
		s.expected.fill(0, wire.EpochID(len(c.Epochs)), s.epochs)
		require.Equal(t, c.Expected, text(s.expected.expect(c.Target, c.Last, c.LayersPerEpoch)))
		s.expected.stale = true
		require.Equal(t, c.Windowed, text(s.windowed(c.Target)))
		require.Equal(t, c.Local, text(s.localThreshold))
		require.Equal(t, c.Global, text(s.global(s.windowed(c.Target))))
	})
}

func TestVectorsLayerRule(t *testing.T) {
	type ruleCase struct {
		Blocks []struct {
			Height             uint64
			Validity, Decision int8
		}
		Verified, Changed bool
		Validity          []int8
	}
	vectors.Run(t, "tortoise/verify_layer", func(t *testing.T, c ruleCase) {
		var blocks []*block
		var decisions []int8
		for _, b := range c.Blocks {
			blocks = append(blocks, &block{height: b.Height, validity: b.Validity})
			decisions = append(decisions, b.Decision)
		}
		ok, changed := decide(blocks, decisions)
		require.Equal(t, c.Verified, ok)
		require.Equal(t, c.Changed, changed)
		got := []int8{}
		for _, b := range blocks {
			got = append(got, b.validity)
		}
		require.Equal(t, c.Validity, got)
	})
}

func TestVectorsScenarios(t *testing.T) {
	for _, name := range scenarioFiles {
		vectors.Run(t, "tortoise/"+name, func(t *testing.T, c scenario) {
			w := newWorld(c.Config)
			for i, s := range c.Steps {
				w.step(t, i, s)
				if t.Failed() {
					t.Fatalf("step %d: %s", i, s.Op)
				}
			}
		})
	}
}

var scenarioFiles = []string{
	"scenario_verifying", "scenario_full", "scenario_partition", "scenario_heights",
	"scenario_invalid_ballots", "scenario_recover", "scenario_random",
}

func class(err error) string {
	var refusal *RuleError
	if errors.As(err, &refusal) {
		return string(refusal.Rule)
	}
	return ""
}

func canonical(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	return string(raw)
}
