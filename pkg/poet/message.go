package poet

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// DecodeMessage reads a proof message that names itself by ref (spec 03 §17.2).
// Errors are RuleErrors; none of them is a reason to disconnect the peer.
func DecodeMessage(ref wire.PoetProofRef, encoded []byte) (*wire.PoetProofMessage, error) {
	msg := new(wire.PoetProofMessage)
	if err := codec.Decode(encoded, msg); err != nil {
		return nil, RuleMalformed.because("%v", err)
	}
	if got := msg.Ref(); got != ref {
		return nil, RuleWrongHash.because("%v instead of %v", got, ref)
	}
	return msg, nil
}

// VerifyMessage checks the sequential work of a message (spec 03 §17.1 step 3).
// Service, round and signature are not looked at.
func VerifyMessage(msg *wire.PoetProofMessage) error {
	return VerifyProof(msg.Statement[:], &msg.PoetProof, SecurityParam)
}

// JudgeFetched decides on a proof that a peer sent for a reference (spec 03
// §17.1, §17.2). A proof that is stored already is good whatever the message
// says besides; then isNew is false and nothing is to be stored.
func JudgeFetched(ref wire.PoetProofRef, encoded []byte, stored bool) (msg *wire.PoetProofMessage, isNew bool, err error) {
	msg, err = DecodeMessage(ref, encoded)
	if err != nil || stored {
		return msg, false, err
	}
	if err := VerifyMessage(msg); err != nil {
		return nil, false, err
	}
	return msg, true, nil
}

// NewMessage is the message about a PoET's own or downloaded proof: the
// statement is the root over the members, the signature stays zero (spec 03 §14.6).
func NewMessage(proof wire.PoetProof, service []byte, round string, members []Node) *wire.PoetProofMessage {
	root, _ := NewMembershipTree(members).Root()
	return &wire.PoetProofMessage{
		PoetProof:     proof,
		PoetServiceID: service,
		RoundID:       round,
		Statement:     wire.Hash32(root),
	}
}
