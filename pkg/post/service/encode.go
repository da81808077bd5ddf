package service

import (
	"encoding/binary"

	"github.com/smeshery/smeshery/pkg/post"
)

// Protobuf's wire types that these messages use.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// appendUint writes a number unless it is zero, which is how proto3 says absent.
func appendUint(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendPresent(b, field, v)
}

func appendPresent(b []byte, field int, v uint64) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|wireVarint)
	return binary.AppendUvarint(b, v)
}

func appendBytes(b []byte, field int, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return appendMessage(b, field, v)
}

// appendMessage writes a message that is present, even if it is empty.
func appendMessage(b []byte, field int, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|wireBytes)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// Marshal encodes a request.
func (r *Request) Marshal() []byte {
	switch {
	case r.Metadata:
		return appendMessage(nil, 1, nil)
	case r.GenProof != nil:
		return appendMessage(nil, 2, appendBytes(nil, 1, r.GenProof.Challenge))
	default:
		return nil
	}
}

// Marshal encodes a response.
func (r *Response) Marshal() []byte {
	switch {
	case r.Metadata != nil:
		var body []byte
		if r.Metadata.Meta != nil {
			body = appendMessage(nil, 1, r.Metadata.Meta.marshal())
		}
		return appendMessage(nil, 1, body)
	case r.GenProof != nil:
		return appendMessage(nil, 2, r.GenProof.marshal())
	default:
		return nil
	}
}

func (m *Metadata) marshal() []byte {
	b := appendBytes(nil, 1, m.NodeID)
	b = appendBytes(b, 2, m.CommitmentATX)
	if m.Nonce != nil {
		b = appendPresent(b, 3, *m.Nonce)
	}
	b = appendUint(b, 4, uint64(m.NumUnits))
	return appendUint(b, 5, m.LabelsPerUnit)
}

func (r *GenProofResponse) marshal() []byte {
	b := appendUint(nil, 1, uint64(r.Status))
	if r.Proof != nil {
		b = appendMessage(b, 2, marshalProof(r.Proof))
	}
	if r.Metadata != nil {
		body := appendBytes(nil, 1, r.Metadata.Challenge)
		if r.Metadata.Meta != nil {
			body = appendMessage(body, 2, r.Metadata.Meta.marshal())
		}
		b = appendMessage(b, 3, body)
	}
	return b
}

func marshalProof(p *post.Proof) []byte {
	b := appendUint(nil, 1, uint64(p.Nonce))
	b = appendBytes(b, 2, p.Indices)
	return appendUint(b, 3, p.Pow)
}
