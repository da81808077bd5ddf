package eligibility_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

func anyProof(wire.NodeID, []byte, wire.VrfSignature) bool { return true }

// twoIdentities has one identity with the weight and another with the rest.
func twoIdentities(weight, total uint64) (*eligibility.Oracle, wire.NodeID) {
	node := wire.NodeID{1}
	records := &eligibility.Records{
		LayersPerEpoch: 10,
		Fallbacks:      map[wire.EpochID][]wire.ATXID{4: {{1}, {2}}},
		Beacons:        map[wire.EpochID]wire.Beacon{4: {1}},
		ATXs: map[wire.ATXID]eligibility.IndexedATX{
			{1}: {Node: node, Weight: weight},
			{2}: {Node: wire.NodeID{2}, Weight: total - weight},
		},
	}
	p := eligibility.Params{LayersPerEpoch: 10, Confidence: 2, EffectiveGenesis: 19}
	return eligibility.NewOracle(p, records, anyProof), node
}

func TestVectorsCounts(t *testing.T) {
	type countCase struct {
		Weight      vectors.Uint64
		TotalWeight vectors.Uint64 `json:"total_weight"`
		Committee   int
		First8      vectors.Hex `json:"vrf_first8"`
		N           int64
		P, Frac     string
		Count       uint16
		CalcError   bool `json:"calc_error"`
		Validate    [][3]any
		Error       string
	}
	sentinel := map[string]error{
		"zero_committee":    eligibility.ErrZeroCommittee,
		"zero_total_weight": eligibility.ErrZeroTotalWeight,
		"weight_too_large":  eligibility.ErrWeightTooLarge,
	}
	vectors.Run(t, "hare/eligibility_counts", func(t *testing.T, c countCase) {
		oracle, node := twoIdentities(uint64(c.Weight), uint64(c.TotalWeight))
		seat := eligibility.Seat{Layer: 45, Round: 3, Committee: c.Committee, Node: node}
		copy(seat.Proof[:], c.First8)

		count, err := oracle.Count(seat)
		require.Equal(t, c.CalcError, err != nil, "%v", err)
		require.Equal(t, c.Count, count)
		l, err := eligibility.NewLottery(c.Committee, uint64(c.Weight), uint64(c.TotalWeight))
		if c.Error != "" {
			require.ErrorIs(t, err, sentinel[c.Error])
		} else {
			require.NoError(t, err)
			require.Equal(t, c.N, l.Trials)
			require.Equal(t, c.P, l.Chance.String())
			require.Equal(t, c.Frac, eligibility.Fraction(seat.Proof).String())
		}
		for _, v := range c.Validate {
			fresh, _ := twoIdentities(uint64(c.Weight), uint64(c.TotalWeight))
			for _, o := range []*eligibility.Oracle{oracle, fresh} {
				valid, err := o.Validate(seat, uint16(v[0].(float64)))
				require.Equal(t, v[1], valid, "claim of %v", v[0])
				require.Equal(t, v[2], err != nil, "claim of %v: %v", v[0], err)
			}
		}
	})
}

func TestVectorsVRF(t *testing.T) {
	type vrfCase struct {
		NodeID     vectors.Hex `json:"node_id"`
		PrivateKey vectors.Hex `json:"private_key"`
		Beacon     vectors.Hex
		Layer      wire.LayerID
		Round      uint32
		Message    vectors.Hex
		VRF        vectors.Hex
		LSB        uint8
		Frac       string
	}
	vectors.Run(t, "hare/eligibility_vrf", func(t *testing.T, c vrfCase) {
		message := eligibility.Message(wire.Beacon(c.Beacon), c.Round, c.Layer)
		require.Equal(t, []byte(c.Message), message)
		proof := vrf.Prove([32]byte(c.PrivateKey[:32]), message)
		require.Equal(t, []byte(c.VRF), proof[:])
		require.True(t, vrf.Verify(wire.NodeID(c.NodeID), message, proof))
		require.Equal(t, c.LSB, vrf.LSB(proof))
		require.Equal(t, c.Frac, eligibility.Fraction(proof).String())
	})
}

func TestVectorsTargetEpoch(t *testing.T) {
	type epochCase struct {
		LayersPerEpoch   uint32 `json:"layers_per_epoch"`
		Confidence       uint32
		EffectiveGenesis wire.LayerID `json:"effective_genesis"`
		Layer            wire.LayerID
		ActiveSetEpoch   wire.EpochID `json:"active_set_epoch"`
		Error            string
	}
	vectors.Run(t, "hare/eligibility_target_epoch", func(t *testing.T, c epochCase) {
		p := eligibility.Params{
			LayersPerEpoch: c.LayersPerEpoch, Confidence: c.Confidence, EffectiveGenesis: c.EffectiveGenesis,
		}
		epoch, err := p.TargetEpoch(c.Layer)
		require.Equal(t, c.Error, errorName(err))
		require.Equal(t, c.ActiveSetEpoch, epoch)
	})
}

func errorName(err error) string {
	var missing *eligibility.MissingATXError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, eligibility.ErrEmptyActiveSet):
		return "empty_active_set"
	case errors.Is(err, eligibility.ErrNoBeacon):
		return "no_beacon"
	case errors.As(err, &missing):
		return "missing_atx"
	}
	return err.Error()
}

type activeSetCase struct {
	LayersPerEpoch uint32 `json:"layers_per_epoch"`
	Confidence     uint32
	Epoch          wire.EpochID
	Layer          wire.LayerID
	BeaconKnown    bool        `json:"beacon_known"`
	LocalBeacon    vectors.Hex `json:"local_beacon"`
	Fallback       []vectors.Hex
	ActiveSets     []struct {
		Hash    vectors.Hex
		Members []vectors.Hex
		Stored  bool
	} `json:"active_sets"`
	Applied []struct {
		Empty   bool
		Layer   wire.LayerID
		Rewards []vectors.Hex
	}
	ATXs []struct {
		ID, Node vectors.Hex
		InIndex  bool `json:"in_index"`
		Weight   uint64
	}
	Ballots []struct {
		ActiveSet vectors.Hex `json:"active_set"`
		ATX       vectors.Hex
		Node      vectors.Hex
		Beacon    vectors.Hex
		Layer     wire.LayerID
	}
	Weights [][3]any
	Total   uint64
	Error   string
}

func atxIDs(list []vectors.Hex) []wire.ATXID {
	out := make([]wire.ATXID, len(list))
	for i, id := range list {
		out[i] = wire.ATXID(id)
	}
	return out
}

func (c activeSetCase) records() *eligibility.Records {
	r := &eligibility.Records{
		LayersPerEpoch: c.LayersPerEpoch,
		Fallbacks:      map[wire.EpochID][]wire.ATXID{},
		ActiveSets:     map[wire.Hash32][]wire.ATXID{},
		Beacons:        map[wire.EpochID]wire.Beacon{},
		ATXs:           map[wire.ATXID]eligibility.IndexedATX{},
	}
	if c.Fallback != nil {
		r.Fallbacks[c.Epoch] = atxIDs(c.Fallback)
	}
	for _, s := range c.ActiveSets {
		if s.Stored {
			r.ActiveSets[wire.Hash32(s.Hash)] = atxIDs(s.Members)
		}
	}
	if c.BeaconKnown {
		r.Beacons[c.Epoch] = wire.Beacon(c.LocalBeacon)
	}
	for _, b := range c.Applied {
		r.Blocks = append(r.Blocks, eligibility.AppliedBlock{
			Layer: b.Layer, Empty: b.Empty, Rewarded: atxIDs(b.Rewards),
		})
	}
	for _, a := range c.ATXs {
		if a.InIndex {
			r.ATXs[wire.ATXID(a.ID)] = eligibility.IndexedATX{Node: wire.NodeID(a.Node), Weight: a.Weight}
		}
	}
	for _, b := range c.Ballots {
		record := eligibility.BallotRecord{Layer: b.Layer, Node: wire.NodeID(b.Node), ATX: wire.ATXID(b.ATX)}
		if b.ActiveSet != nil {
			record.Declares = &eligibility.Declaration{
				ActiveSet: wire.Hash32(b.ActiveSet), Beacon: wire.Beacon(b.Beacon),
			}
		}
		r.Ballots = append(r.Ballots, record)
	}
	return r
}

func TestVectorsActiveSet(t *testing.T) {
	vectors.Run(t, "hare/eligibility_active_set", func(t *testing.T, c activeSetCase) {
		p := eligibility.Params{LayersPerEpoch: c.LayersPerEpoch, Confidence: c.Confidence, EffectiveGenesis: 19}
		require.NoError(t, p.Validate())
		epoch, err := p.TargetEpoch(c.Layer)
		require.NoError(t, err)
		require.Equal(t, c.Epoch, epoch)
		oracle := eligibility.NewOracle(p, c.records(), anyProof)
		set, err := oracle.ActiveSet(c.Epoch)
		require.Equal(t, c.Error, errorName(err))
		if c.Error != "" {
			return
		}
		require.Equal(t, c.Total, set.Total)
		require.Len(t, set.Members, len(c.Weights))
		for _, w := range c.Weights {
			var node, atx vectors.Hex
			require.NoError(t, node.UnmarshalJSON([]byte(`"`+w[0].(string)+`"`)))
			require.NoError(t, atx.UnmarshalJSON([]byte(`"`+w[1].(string)+`"`)))
			want := eligibility.Member{ATX: wire.ATXID(atx), Weight: uint64(w[2].(float64))}
			require.Equal(t, want, set.Members[wire.NodeID(node)])
			active, err := oracle.IsActive(wire.NodeID(node), c.Layer)
			require.NoError(t, err)
			require.True(t, active)
		}
	})
}
