package activation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// What is signed for others is what they sent, in a slot of the domain that they
// named, or nothing.
func FuzzRequestOf(f *testing.F) {
	f.Add(uint8(signing.Ballot), codec.MustEncode(&wire.BallotMetadata{Layer: 1 << 20}))
	f.Add(uint8(signing.Hare), codec.MustEncode(&wire.HareMetadata{Layer: 7, Round: 1 << 30}))
	f.Add(uint8(signing.Hare), codec.MustEncode(&wire.CertifyContent{LayerID: 7, EligibilityCnt: 300}))
	f.Add(uint8(signing.BeaconFirst), codec.MustEncode(&wire.FirstVotingMessageBody{EpochID: 4, ValidProposals: make([]wire.BeaconProposal, 2)}))
	f.Add(uint8(signing.BeaconFollowup), codec.MustEncode(&wire.FollowingVotingMessageBody{EpochID: 4, VotesBitVector: []byte{1, 2}}))
	f.Add(uint8(signing.ATX), make([]byte, 32))
	key, prefix := signing.NewKey([32]byte{1}), []byte("net")
	verifier := signing.NewVerifier(prefix)
	f.Fuzz(func(t *testing.T, domain uint8, body []byte) {
		r := requestOf(signing.Domain(domain), body)
		if r == nil {
			return
		}
		require.True(t, r.Slot().Guarded())
		sig, err := key.Sign(prefix, r)
		require.NoError(t, err)
		require.True(t, verifier.Verify(signing.Domain(domain), key.NodeID(), body, sig))
	})
}

func TestOnlySomeDomainsHaveADoor(t *testing.T) {
	body := codec.MustEncode(&wire.BallotMetadata{Layer: 3})
	for domain := range 256 {
		d := signing.Domain(domain)
		open := d == signing.Ballot || d == signing.Proposal
		require.Equal(t, open, requestOf(d, body) != nil, d.String())
	}
	require.Nil(t, requestOf(signing.ATX, make([]byte, 32)))
	require.Nil(t, requestOf(signing.Marriage, make([]byte, 32)))
	require.Nil(t, requestOf(signing.Poet, make([]byte, 32)))
}
