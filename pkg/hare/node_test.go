package hare_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// setting is what the vector files say of a network.
type setting struct {
	GenesisID        vectors.Hex  `json:"genesis_id"`
	EffectiveGenesis wire.LayerID `json:"effective_genesis"`
	LayersPerEpoch   uint32       `json:"layers_per_epoch"`
	Layer            wire.LayerID
	Committee        uint16
	Leaders          uint16
	IterationsLimit  uint8 `json:"iterations_limit"`
	Confidence       uint32
	Beacon           vectors.Hex
	Identities       []identity
	Proposals        []proposal
}

type identity struct {
	ATX        vectors.Hex
	NodeID     vectors.Hex `json:"node_id"`
	PrivateKey vectors.Hex `json:"private_key"`
	Weight     uint64
	BaseHeight uint64 `json:"base_height"`
	Height     uint64
}

type proposal struct {
	ATX, ID, Smesher    vectors.Hex
	FirstEligibilityVRF vectors.Hex `json:"first_eligibility_vrf"`
}

func (s setting) params(hare4 bool) hare.Params {
	return hare.Params{
		HareParams: network.HareParams{
			Enable: true, Committee: s.Committee, Leaders: s.Leaders, IterationsLimit: s.IterationsLimit,
			PreroundDelay: time.Second, RoundDuration: time.Second, ProtocolName: "/h/test",
		},
		Hare4: hare4, LayersPerEpoch: s.LayersPerEpoch, EffectiveGenesis: s.EffectiveGenesis,
		LayerDuration: time.Hour, Zdist: 1,
	}
}

func (s setting) oracle() *eligibility.Oracle {
	records := &eligibility.Records{
		LayersPerEpoch: s.LayersPerEpoch,
		Fallbacks:      map[wire.EpochID][]wire.ATXID{},
		Beacons:        map[wire.EpochID]wire.Beacon{s.Layer.Epoch(s.LayersPerEpoch): wire.Beacon(s.Beacon)},
		ATXs:           map[wire.ATXID]eligibility.IndexedATX{},
	}
	p := eligibility.Params{
		LayersPerEpoch: s.LayersPerEpoch, Confidence: s.Confidence, EffectiveGenesis: s.EffectiveGenesis,
	}
	epoch, err := p.TargetEpoch(s.Layer)
	if err != nil {
		panic(err)
	}
	for _, id := range s.Identities {
		atx := wire.ATXID(id.ATX)
		records.Fallbacks[epoch] = append(records.Fallbacks[epoch], atx)
		records.ATXs[atx] = eligibility.IndexedATX{Node: wire.NodeID(id.NodeID), Weight: id.Weight}
	}
	return eligibility.NewOracle(p, records, vrf.Verify)
}

// node is a node of a vector file's network.
type node struct {
	*hare.Hare
	setting   setting
	verifier  signing.Verifier
	malicious map[wire.NodeID]bool
	held      map[wire.ProposalID]bool // proposals; nil holds all
	proofs    []*wire.MalfeasanceProof
}

func newNode(t testing.TB, s setting, hare4 bool) *node {
	n := &node{setting: s, verifier: signing.NewVerifier(s.GenesisID), malicious: map[wire.NodeID]bool{}}
	h, err := hare.New(s.params(hare4), s.oracle(), n)
	require.NoError(t, err)
	n.Hare = h
	return n
}

func (n *node) VerifyHare(id wire.NodeID, body []byte, sig wire.EdSignature) bool {
	return n.verifier.Verify(signing.Hare, id, body, sig)
}

func (n *node) IsMalicious(id wire.NodeID) bool { return n.malicious[id] }

func (n *node) holds(id wire.ProposalID) bool { return n.held == nil || n.held[id] }

func (n *node) LocalProposals(wire.LayerID) (out []hare.LocalProposal) {
	for _, p := range n.setting.Proposals {
		if n.holds(wire.ProposalID(p.ID)) {
			out = append(out, hare.LocalProposal{
				ID: wire.ProposalID(p.ID), Compact: new(wire.CompactProposalID(p.FirstEligibilityVRF[:4])),
			})
		}
	}
	return out
}

func (n *node) Selection(_ wire.LayerID, identities []wire.NodeID) (out hare.Selection) {
	base := map[wire.ATXID]uint64{}
	for _, id := range n.setting.Identities {
		base[wire.ATXID(id.ATX)] = id.BaseHeight
		for _, own := range identities {
			if own == wire.NodeID(id.NodeID) {
				out.OwnHeights = append(out.OwnHeights, id.Height)
			}
		}
	}
	for _, p := range n.setting.Proposals {
		if !n.holds(wire.ProposalID(p.ID)) {
			continue
		}
		height, indexed := base[wire.ATXID(p.ATX)]
		out.Candidates = append(out.Candidates, hare.Candidate{
			ID: wire.ProposalID(p.ID), ATX: wire.ATXID(p.ATX), Beacon: wire.Beacon(n.setting.Beacon),
			Indexed: indexed, BaseHeight: height,
		})
	}
	return out
}

// apply does what the effects of a step ask of the identity table.
func (n *node) apply(effects []hare.Effect) {
	for _, e := range effects {
		if found, ok := e.(hare.Equivocation); ok {
			n.malicious[found.Node] = true
			n.proofs = append(n.proofs, found.Proof)
		}
	}
}

var genesisTime = time.Date(2023, 7, 14, 8, 0, 0, 0, time.UTC)

func (n *node) start(identities ...wire.NodeID) []hare.Effect {
	beacon := wire.Beacon(n.setting.Beacon)
	return n.StartLayer(hare.LayerStart{
		Layer: n.setting.Layer, Start: genesisTime, Synced: true, Beacon: &beacon, Identities: identities,
	})
}
