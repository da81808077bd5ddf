package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §12.
const (
	MaxProvenLeaves   = 150
	MaxPoetProofNodes = 5_400
	maxPoetBytes      = 32
)

// PoetMerkleProof opens leaves of the sequential work's tree.
type PoetMerkleProof struct {
	Root         []byte
	ProvenLeaves [][]byte
	ProofNodes   [][]byte
}

// Code is fields 1–3 of spec 01 §12.
func (p *PoetMerkleProof) Code(c *codec.Coder) {
	c.Bytes(&p.Root, maxPoetBytes)
	codec.BytesList(c, &p.ProvenLeaves, MaxProvenLeaves, maxPoetBytes)
	codec.BytesList(c, &p.ProofNodes, MaxPoetProofNodes, maxPoetBytes)
}

// PoetProof is the part of a PoET proof that its reference covers.
type PoetProof struct {
	PoetMerkleProof
	LeafCount uint64
}

// Code is fields 1–4 of spec 01 §12.
func (p *PoetProof) Code(c *codec.Coder) {
	p.PoetMerkleProof.Code(c)
	c.Compact64(&p.LeafCount)
}

// Ref is the name of the proof.
func (p *PoetProof) Ref() PoetProofRef { return PoetProofRef(Sum(codec.MustEncode(p))) }

// PoetProofMessage is a round's proof as it is gossiped.
type PoetProofMessage struct {
	PoetProof
	PoetServiceID []byte
	RoundID       string
	Statement     Hash32
	Signature     EdSignature
}

// Code is spec 01 §12.
func (m *PoetProofMessage) Code(c *codec.Coder) {
	m.PoetProof.Code(c)
	c.Bytes(&m.PoetServiceID, maxPoetBytes)
	c.String(&m.RoundID, maxPoetBytes)
	c.Fixed(m.Statement[:])
	c.Fixed(m.Signature[:])
}
