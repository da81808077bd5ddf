package beacon

import (
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Keys verifies with the network's signature rules.
type Keys struct{ Signatures signing.Verifier }

// VerifyVRF checks a VRF proof.
func (k Keys) VerifyVRF(id wire.NodeID, message []byte, proof wire.VrfSignature) bool {
	return vrf.Verify(id, message, proof)
}

// VerifyFirstVote checks the signature of a first vote.
func (k Keys) VerifyFirstVote(id wire.NodeID, body []byte, sig wire.EdSignature) bool {
	return k.Signatures.Verify(signing.BeaconFirst, id, body, sig)
}

// VerifyVote checks the signature of a following vote.
func (k Keys) VerifyVote(id wire.NodeID, body []byte, sig wire.EdSignature) bool {
	return k.Signatures.Verify(signing.BeaconFollowup, id, body, sig)
}
