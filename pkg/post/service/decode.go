package service

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/smeshery/smeshery/pkg/post"
)

// MaxMessage is the size that a peer may send (spec 02 §14.2).
const MaxMessage = 10 << 20

// ErrMessage says that bytes are not one of these messages.
var ErrMessage = errors.New("post service: malformed message")

// each calls visit for every field of a message. Numbers are in v, everything
// with a length in body; fields of other kinds are skipped as unknown.
func each(b []byte, visit func(field int, v uint64, body []byte) error) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return ErrMessage
		}
		b = b[n:]
		var v uint64
		var body []byte
		switch tag & 7 {
		case wireVarint:
			if v, n = binary.Uvarint(b); n <= 0 {
				return ErrMessage
			}
			b = b[n:]
		case wireBytes:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return ErrMessage
			}
			body = b[n : n+int(size) : n+int(size)]
			b = b[n+int(size):]
		case wire32, wire64:
			size := 4
			if tag&7 == wire64 {
				size = 8
			}
			if len(b) < size {
				return ErrMessage
			}
			b = b[size:]
			continue
		default:
			return ErrMessage
		}
		if err := visit(int(tag>>3), v, body); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalRequest decodes what a node sent. Of several kinds the last counts.
func UnmarshalRequest(b []byte) (*Request, error) {
	if len(b) > MaxMessage {
		return nil, ErrMessage
	}
	r := &Request{}
	err := each(b, func(field int, _ uint64, body []byte) error {
		switch {
		case body == nil:
			return nil
		case field == 1:
			*r = Request{Metadata: true}
			return each(body, func(int, uint64, []byte) error { return nil })
		case field == 2:
			*r = Request{GenProof: &GenProofRequest{}}
			return each(body, func(field int, _ uint64, body []byte) error {
				if field == 1 && body != nil {
					r.GenProof.Challenge = bytes.Clone(body)
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// UnmarshalResponse decodes what a service sent. Of several kinds the last counts.
func UnmarshalResponse(b []byte) (*Response, error) {
	if len(b) > MaxMessage {
		return nil, ErrMessage
	}
	r := &Response{}
	err := each(b, func(field int, _ uint64, body []byte) error {
		switch {
		case body == nil:
			return nil
		case field == 1:
			*r = Response{Metadata: &MetadataResponse{}}
			return each(body, metaField(1, &r.Metadata.Meta))
		case field == 2:
			*r = Response{GenProof: &GenProofResponse{}}
			return each(body, r.GenProof.field)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// metaField reads a Metadata from one field of a message.
func metaField(number int, out **Metadata) func(int, uint64, []byte) error {
	return func(field int, _ uint64, body []byte) error {
		if field != number || body == nil {
			return nil
		}
		if *out == nil {
			*out = &Metadata{}
		}
		return each(body, (*out).field)
	}
}

func (m *Metadata) field(field int, v uint64, body []byte) error {
	switch {
	case field == 1 && body != nil:
		m.NodeID = bytes.Clone(body)
	case field == 2 && body != nil:
		m.CommitmentATX = bytes.Clone(body)
	case field == 3 && body == nil:
		m.Nonce = &v
	case field == 4 && body == nil:
		m.NumUnits = uint32(v)
	case field == 5 && body == nil:
		m.LabelsPerUnit = v
	}
	return nil
}

func (r *GenProofResponse) field(field int, v uint64, body []byte) error {
	switch {
	case field == 1 && body == nil:
		r.Status = Status(v)
	case field == 2 && body != nil:
		if r.Proof == nil {
			r.Proof = &post.Proof{}
		}
		return each(body, proofField(r.Proof))
	case field == 3 && body != nil:
		if r.Metadata == nil {
			r.Metadata = &ProofMetadata{}
		}
		return each(body, r.Metadata.field)
	}
	return nil
}

func proofField(p *post.Proof) func(int, uint64, []byte) error {
	return func(field int, v uint64, body []byte) error {
		switch {
		case field == 1 && body == nil:
			p.Nonce = uint32(v)
		case field == 2 && body != nil:
			p.Indices = bytes.Clone(body)
		case field == 3 && body == nil:
			p.Pow = v
		}
		return nil
	}
}

func (m *ProofMetadata) field(field int, v uint64, body []byte) error {
	if field == 1 && body != nil {
		m.Challenge = bytes.Clone(body)
		return nil
	}
	return metaField(2, &m.Meta)(field, v, body)
}
