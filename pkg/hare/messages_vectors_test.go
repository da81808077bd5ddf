package hare_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

type messageCase struct {
	Name             string
	Layer            wire.LayerID
	Iter, Round      uint8
	Proposals        []vectors.Hex
	Reference        vectors.Hex
	CompactProposals []vectors.Hex `json:"compact_proposals"`
	VRF              vectors.Hex
	Count            uint16
	Sender           vectors.Hex
	PrivateKey       vectors.Hex `json:"private_key"`
	AbsoluteRound    uint32      `json:"absolute_round"`
	Body             vectors.Hex
	BodyHash         vectors.Hex `json:"body_hash"`
	Metadata         vectors.Hex
	Signature        vectors.Hex
	Encoded          vectors.Hex
	ValueReference   vectors.Hex `json:"value_reference"`
}

func ids[T ~[20]byte](list []vectors.Hex) []T {
	out := make([]T, len(list))
	for i, id := range list {
		out[i] = T(id)
	}
	return out
}

func (c messageCase) message(hare4 bool) *wire.HareMessage {
	m := &wire.HareMessage{Sender: wire.NodeID(c.Sender), Signature: wire.EdSignature(c.Signature)}
	m.Body = wire.HareBody{
		Layer: c.Layer, IterRound: roundAt([2]uint8{c.Iter, c.Round}),
		Value:       wire.HareValue{Proposals: ids[wire.ProposalID](c.Proposals), Hare4: hare4},
		Eligibility: wire.HareEligibility{Proof: wire.VrfSignature(c.VRF), Count: c.Count},
	}
	if c.Reference != nil {
		m.Body.Value.Reference = new(wire.Hash32(c.Reference))
	}
	for _, id := range c.CompactProposals {
		m.Body.Value.CompactProposals = append(m.Body.Value.CompactProposals, wire.CompactProposalID(id))
	}
	return m
}

func TestVectorsMessages(t *testing.T) {
	for name, hare4 := range map[string]bool{"hare/hare3_messages": false, "hare/hare4_messages": true} {
		var file struct {
			GenesisID vectors.Hex `json:"genesis_id"`
		}
		vectors.Load(t, name, &file)
		vectors.Run(t, name, func(t *testing.T, c messageCase) {
			if strings.HasPrefix(c.Name, "reference-") {
				ref := hare.ListReference(ids[wire.ProposalID](c.Proposals))
				require.Equal(t, c.ValueReference.String(), ref.String())
				return
			}
			m := c.message(hare4)
			require.Equal(t, []byte(c.Body), codec.MustEncode(&m.Body))
			meta := m.Body.Metadata()
			require.Equal(t, c.BodyHash.String(), meta.MsgHash.String())
			require.Equal(t, c.AbsoluteRound, meta.Round)
			require.Equal(t, []byte(c.Metadata), codec.MustEncode(&meta))
			sig, err := signing.NewKey([32]byte(c.PrivateKey[:32])).Sign(file.GenesisID, signing.SignHare{Meta: meta})
			require.NoError(t, err)
			require.Equal(t, c.Signature.String(), sig.String())
			require.Equal(t, []byte(c.Encoded), codec.MustEncode(m))
			back, err := wire.DecodeHare(c.Encoded, hare4)
			require.NoError(t, err)
			require.Equal(t, []byte(c.Encoded), codec.MustEncode(back))
			require.True(t, signing.NewVerifier(file.GenesisID).
				Verify(signing.Hare, back.Sender, back.SignedBytes(), back.Signature))
		})
	}
}

func TestVectorsSelectProposals(t *testing.T) {
	type selectCase struct {
		ATXs []struct {
			ATX            vectors.Hex
			BaseHeight     uint64 `json:"base_height"`
			KnownMalicious bool   `json:"known_malicious"`
			Missing        bool
		}
		OwnATXs []struct {
			Height uint64
		} `json:"own_atxs"`
		Proposals []struct {
			ATX, Beacon, ID  vectors.Hex
			FlaggedMalicious bool `json:"flagged_malicious"`
		}
		Selected      []vectors.Hex
		SessionBeacon vectors.Hex `json:"session_beacon"`
	}
	vectors.Run(t, "hare/select_proposals", func(t *testing.T, c selectCase) {
		var s hare.Selection
		for _, own := range c.OwnATXs {
			s.OwnHeights = append(s.OwnHeights, own.Height)
		}
		for _, p := range c.Proposals {
			candidate := hare.Candidate{
				ID: wire.ProposalID(p.ID), ATX: wire.ATXID(p.ATX),
				Malicious: p.FlaggedMalicious, Beacon: wire.Beacon(p.Beacon),
			}
			for _, atx := range c.ATXs {
				if wire.ATXID(atx.ATX) == candidate.ATX {
					candidate.Malicious = candidate.Malicious || atx.KnownMalicious
					candidate.Indexed, candidate.BaseHeight = !atx.Missing, atx.BaseHeight
				}
			}
			s.Candidates = append(s.Candidates, candidate)
		}
		got := hare.SelectProposals(wire.Beacon(c.SessionBeacon), s)
		require.Equal(t, len(c.Selected), len(got))
		for i, id := range c.Selected {
			require.Equal(t, id.String(), got[i].String())
		}
	})
}
