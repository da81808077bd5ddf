package service

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/post"
)

type message struct {
	Message string
	Bytes   vectors.Hex
	JSON    struct {
		Metadata *struct{ Meta *metaJSON }
		GenProof *struct {
			Challenge []byte
			Status    string
			Proof     *struct {
				Nonce   uint32
				Indices []byte
				Pow     vectors.Uint64
			}
			Metadata *struct {
				Challenge []byte
				Meta      *metaJSON
			}
		}
	}
}

type metaJSON struct {
	NodeID        []byte `json:"nodeId"`
	CommitmentATX []byte `json:"commitmentAtxId"`
	Nonce         *vectors.Uint64
	NumUnits      uint32
	LabelsPerUnit vectors.Uint64
}

func (m *metaJSON) metadata() *Metadata {
	if m == nil {
		return nil
	}
	return &Metadata{
		NodeID: m.NodeID, CommitmentATX: m.CommitmentATX, Nonce: (*uint64)(m.Nonce),
		NumUnits: m.NumUnits, LabelsPerUnit: uint64(m.LabelsPerUnit),
	}
}

var statuses = map[string]Status{
	"": StatusUnspecified, "GEN_PROOF_STATUS_UNSPECIFIED": StatusUnspecified,
	"GEN_PROOF_STATUS_OK": StatusOK, "GEN_PROOF_STATUS_ERROR": StatusError,
}

func (m *message) request() *Request {
	r := &Request{Metadata: m.JSON.Metadata != nil}
	if m.JSON.GenProof != nil {
		r.GenProof = &GenProofRequest{Challenge: m.JSON.GenProof.Challenge}
	}
	return r
}

func (m *message) response() *Response {
	r := &Response{}
	if m.JSON.Metadata != nil {
		r.Metadata = &MetadataResponse{Meta: m.JSON.Metadata.Meta.metadata()}
	}
	if p := m.JSON.GenProof; p != nil {
		r.GenProof = &GenProofResponse{Status: statuses[p.Status]}
		if p.Proof != nil {
			r.GenProof.Proof = &post.Proof{Nonce: p.Proof.Nonce, Indices: p.Proof.Indices, Pow: uint64(p.Proof.Pow)}
		}
		if p.Metadata != nil {
			r.GenProof.Metadata = &ProofMetadata{Challenge: p.Metadata.Challenge, Meta: p.Metadata.Meta.metadata()}
		}
	}
	return r
}

func TestVectorPostServiceMessages(t *testing.T) {
	vectors.Run(t, "post/post_service_messages", func(t *testing.T, c message) {
		switch c.Message {
		case "spacemesh.v1.NodeRequest":
			require.Equal(t, []byte(c.Bytes), append([]byte{}, c.request().Marshal()...))
			got, err := UnmarshalRequest(c.Bytes)
			require.NoError(t, err)
			require.Equal(t, c.request(), got)
		case "spacemesh.v1.ServiceResponse":
			require.Equal(t, []byte(c.Bytes), append([]byte{}, c.response().Marshal()...))
			got, err := UnmarshalResponse(c.Bytes)
			require.NoError(t, err)
			require.Equal(t, c.response(), got)
		default:
			require.Failf(t, "unknown message", "%s", c.Message)
		}
	})
}

// FuzzMessages: what decodes encodes to something that decodes to the same.
func FuzzMessages(f *testing.F) {
	f.Add([]byte{0x0a, 0x00})
	f.Add([]byte{0x12, 0x02, 0x08, 0x01})
	f.Add((&Response{GenProof: &GenProofResponse{
		Status: StatusOK, Proof: &post.Proof{Nonce: 1, Indices: []byte{1}, Pow: 2},
		Metadata: &ProofMetadata{Challenge: []byte{3}, Meta: &Metadata{NumUnits: 4}},
	}}).Marshal())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := UnmarshalRequest(raw); err == nil {
			again, err := UnmarshalRequest(r.Marshal())
			require.NoError(t, err)
			require.Equal(t, r.Marshal(), again.Marshal())
		}
		if r, err := UnmarshalResponse(raw); err == nil {
			again, err := UnmarshalResponse(r.Marshal())
			require.NoError(t, err)
			require.Equal(t, r.Marshal(), again.Marshal())
		}
	})
}
