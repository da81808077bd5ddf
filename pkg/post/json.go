package post

import (
	"encoding/json"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// JSON of services: byte strings in padded base64, field names as below (spec 02
// §7.1, §16).

type proofJSON struct {
	Nonce   uint32 `json:"nonce"`
	Indices []byte `json:"indices"`
	Pow     uint64 `json:"pow"`
}

type statementJSON struct {
	NodeID        []byte `json:"node_id"`
	CommitmentATX []byte `json:"commitment_atx_id"`
	Challenge     []byte `json:"challenge"`
	NumUnits      uint32 `json:"num_units"`
}

// MarshalJSON writes {"nonce","indices","pow"}.
func (p Proof) MarshalJSON() ([]byte, error) {
	out := proofJSON(p)
	if out.Indices == nil {
		out.Indices = []byte{}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Proof) UnmarshalJSON(raw []byte) error {
	var in proofJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	*p = Proof(in)
	return nil
}

// MarshalJSON writes {"node_id","commitment_atx_id","challenge","num_units"}.
func (s Statement) MarshalJSON() ([]byte, error) {
	return json.Marshal(statementJSON{s.NodeID[:], s.CommitmentATX[:], s.Challenge[:], s.NumUnits})
}

// UnmarshalJSON reads what MarshalJSON writes; ids must have 32 bytes.
func (s *Statement) UnmarshalJSON(raw []byte) error {
	var in statementJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	for _, field := range []struct {
		name string
		b    []byte
	}{{"node_id", in.NodeID}, {"commitment_atx_id", in.CommitmentATX}, {"challenge", in.Challenge}} {
		if len(field.b) != 32 {
			return fmt.Errorf("post: %s has %d bytes, expected 32", field.name, len(field.b))
		}
	}
	*s = Statement{
		NodeID: wire.NodeID(in.NodeID), CommitmentATX: wire.ATXID(in.CommitmentATX),
		Challenge: wire.Hash32(in.Challenge), NumUnits: in.NumUnits,
	}
	return nil
}
