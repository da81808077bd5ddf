package poet_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

type messageCase struct {
	Kind         string
	Root         hexBytes
	ProvenLeaves nodeList `json:"proven_leaves"`
	ProofNodes   nodeList `json:"proof_nodes"`
	LeafCount    decimal  `json:"leaf_count"`
	ServiceID    hexBytes `json:"poet_service_id"`
	RoundID      string   `json:"round_id"`
	Statement    hexBytes
	Signature    hexBytes
	Encoded      hexBytes
	EncodedProof hexBytes `json:"encoded_poet_proof"`
	Ref          hexBytes
	Error        string
	OK           bool
	ExpectedRef  hexBytes `json:"expected_ref"`
	Stored       bool     `json:"already_stored"`
	Result       string
}

// nodeList is a list of hex strings, or a text like "5401 empty strings".
type nodeList [][]byte

func (n *nodeList) UnmarshalJSON(raw []byte) error {
	var count int
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if _, err := fmt.Sscanf(text, "%d empty", &count); err != nil {
			return err
		}
		*n = make([][]byte, count)
		return nil
	}
	var list []hexBytes
	err := json.Unmarshal(raw, &list)
	*n = bytesOf(list)
	return err
}

func checkMessageEncoding(t *testing.T, c messageCase) {
	msg := wire.PoetProofMessage{PoetServiceID: c.ServiceID, RoundID: c.RoundID}
	msg.Root, msg.ProvenLeaves, msg.ProofNodes = c.Root, c.ProvenLeaves, c.ProofNodes
	msg.LeafCount = uint64(c.LeafCount)
	copy(msg.Statement[:], c.Statement)
	copy(msg.Signature[:], c.Signature)
	encoded, err := codec.Encode(&msg)
	if c.Error != "" {
		require.Equal(t, "encode_limit", c.Error)
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	if c.Encoded != nil {
		require.Equal(t, c.Encoded, hexBytes(encoded))
	}
	proof, err := codec.Encode(&msg.PoetProof)
	require.NoError(t, err)
	if c.EncodedProof != nil {
		require.Equal(t, c.EncodedProof, hexBytes(proof))
	}
	require.Equal(t, wire.PoetProofRef(c.Ref), msg.Ref())
}
