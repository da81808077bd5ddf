package poet

import (
	"strconv"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ProofRecord is a finished round as the reference server keeps it (spec 03
// §9.1). We read it to take a server's history over.
type ProofRecord struct {
	Proof         wire.PoetProof
	Members       [][]byte
	ServicePubkey []byte
	Round         string
}

// ProofKey is the key of a round's record.
func ProofKey(round uint32) string { return strconv.FormatUint(uint64(round), 10) }

// Encode is the stored form.
func (r *ProofRecord) Encode() []byte { return encodeXDR(r) }

// DecodeProofRecord reads the stored form; its error is ErrRecord.
func DecodeProofRecord(raw []byte) (ProofRecord, error) {
	var r ProofRecord
	err := decodeXDR(raw, &r)
	return r, err
}

func (r *ProofRecord) code(x *xdrCoder) {
	codeMerkleProof(x, &r.Proof.PoetMerkleProof)
	x.opaques(&r.Members)
	x.u64(&r.Proof.LeafCount)
	x.opaque(&r.ServicePubkey)
	x.text(&r.Round)
}

func codeMerkleProof(x *xdrCoder, p *wire.PoetMerkleProof) {
	x.opaque(&p.Root)
	x.opaques(&p.ProvenLeaves)
	x.opaques(&p.ProofNodes)
}

// RoundState is the reference worker's file about a round (spec 03 §10.3).
type RoundState struct {
	// ExecutionStarted is RFC 3339; the zero instant means that work has not begun.
	ExecutionStarted string
	SecurityParam    uint32
	Statement        []byte
	Leaves           uint64
	// Proof is set once the work is done.
	Proof *wire.PoetMerkleProof
}

// Started is when work began, or false if it did not.
func (s *RoundState) Started() (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, s.ExecutionStarted)
	return at, err == nil && !at.IsZero()
}

// Encode is the stored form.
func (s *RoundState) Encode() []byte { return encodeXDR(s) }

// DecodeRoundState reads the stored form; its error is ErrRecord.
func DecodeRoundState(raw []byte) (RoundState, error) {
	var s RoundState
	err := decodeXDR(raw, &s)
	return s, err
}

func (s *RoundState) code(x *xdrCoder) {
	x.text(&s.ExecutionStarted)
	present := true
	x.boolean(&present)
	if !present {
		x.err = ErrRecord
		return
	}
	var obsolete [][]byte
	x.u32(&s.SecurityParam)
	x.opaques(&obsolete)
	x.opaque(&s.Statement)
	x.opaques(&obsolete)
	x.u64(&s.Leaves)
	done := s.Proof != nil
	x.boolean(&done)
	if !done {
		s.Proof = nil
		return
	}
	if s.Proof == nil {
		s.Proof = new(wire.PoetMerkleProof)
	}
	codeMerkleProof(x, s.Proof)
}
