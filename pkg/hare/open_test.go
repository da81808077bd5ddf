package hare_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
)

// open is a node around hare where every signature verifies unless it starts
// with 0xff, and every claim of seats holds unless its proof does.
type open struct {
	proposals *hare.Proposals
	malicious map[wire.NodeID]bool
	seats     map[wire.NodeID]uint16
}

func newOpen() *open {
	return &open{
		proposals: hare.NewProposals(2, 0),
		malicious: map[wire.NodeID]bool{},
		seats:     map[wire.NodeID]uint16{},
	}
}

func (o *open) VerifyHare(_ wire.NodeID, _ []byte, sig wire.EdSignature) bool { return sig[0] != 0xff }
func (o *open) IsMalicious(id wire.NodeID) bool                               { return o.malicious[id] }
func (o *open) LocalProposals(l wire.LayerID) []hare.LocalProposal            { return o.proposals.Local(l) }
func (o *open) Count(s eligibility.Seat) (uint16, error)                      { return o.seats[s.Node], nil }

func (o *open) Validate(s eligibility.Seat, claimed uint16) (bool, error) {
	return s.Proof[0] != 0xff && claimed > 0, nil
}

func (o *open) Selection(l wire.LayerID, _ []wire.NodeID) hare.Selection {
	out := hare.Selection{OwnHeights: []uint64{10}}
	for _, p := range o.proposals.Layer(l) {
		out.Candidates = append(out.Candidates, hare.Candidate{
			ID: p.ID, ATX: p.ATX, Malicious: p.Flagged, Beacon: p.Beacon, Indexed: true, BaseHeight: 1,
		})
	}
	return out
}

const openLayer = wire.LayerID(20)

func openBeacon() *wire.Beacon { return &wire.Beacon{1} }

func openParams(hare4 bool) hare.Params {
	s := setting{Committee: 10, Leaders: 3, IterationsLimit: 4, LayersPerEpoch: 10, EffectiveGenesis: 19}
	return s.params(hare4)
}

// openProposal has an ATX of its own.
func openProposal(n byte) hare.StoredProposal {
	return hare.StoredProposal{
		ID: wire.ProposalID{n}, Layer: openLayer, ATX: wire.ATXID{n}, Beacon: *openBeacon(),
		FirstProof: &wire.VrfSignature{n},
	}
}

func openSession(t testing.TB, hare4 bool, identities ...wire.NodeID) (*hare.Hare, *open, []hare.Effect) {
	o := newOpen()
	for n := range byte(3) {
		require.NoError(t, o.proposals.Add(openProposal(n+1)))
	}
	h, err := hare.New(openParams(hare4), o, o)
	require.NoError(t, err)
	return h, o, h.StartLayer(hare.LayerStart{
		Layer: openLayer, Start: genesisTime, Synced: true, Beacon: openBeacon(), Identities: identities,
	})
}

// spoken is a message of a sender; salt makes it differ from others.
func spoken(hare4 bool, sender uint32, at wire.IterRound, salt byte) *wire.HareMessage {
	m := &wire.HareMessage{}
	binary.BigEndian.PutUint32(m.Sender[:], sender)
	m.Body = wire.HareBody{
		Layer: openLayer, IterRound: at, Value: wire.HareValue{Hare4: hare4},
		Eligibility: wire.HareEligibility{Count: 1},
	}
	binary.BigEndian.PutUint32(m.Body.Eligibility.Proof[40:], sender)
	m.Body.Eligibility.Proof[50] = salt
	if at.Round == wire.Commit || at.Round == wire.Notify {
		m.Body.Value.Reference = &wire.Hash32{salt}
	}
	return m
}

func raw(m *wire.HareMessage) []byte { return codec.MustEncode(m) }
