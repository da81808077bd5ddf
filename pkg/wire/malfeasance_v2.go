package wire

import "github.com/smeshery/smeshery/pkg/codec"

const (
	maxATXProof        = 1 << 20
	maxMarryProofNodes = 32
)

// ProofTypeDoubleMarry proves that an identity was married twice.
const ProofTypeDoubleMarry = ATXProofType(0x11)

// ATXProofType tells the kinds of version 2 proofs apart (spec 01 §13.2).
type ATXProofType uint8

// ATXProof is the envelope of version 2 proofs; no node publishes it yet.
type ATXProof struct {
	Version   uint8
	ProofType ATXProofType
	Proof     []byte
}

// Code is spec 01 §13.2.
func (p *ATXProof) Code(c *codec.Coder) {
	c.Compact8(&p.Version)
	c.Compact8((*uint8)(&p.ProofType))
	c.Bytes(&p.Proof, maxATXProof)
}

// MarryProof shows that an identity was married in an ATX.
type MarryProof struct {
	ATXID                ATXID
	MarriageRoot         Hash32
	MarriageProof        []Hash32
	CertificateReference ATXID
	CertificateSignature EdSignature
	CertificateIndex     uint64
	CertificateProof     []Hash32
	SmesherID            NodeID
	Signature            EdSignature
}

// Code is spec 01 §13.2.
func (p *MarryProof) Code(c *codec.Coder) {
	c.Fixed(p.ATXID[:])
	c.Fixed(p.MarriageRoot[:])
	codec.FixedList(c, &p.MarriageProof, maxMarryProofNodes)
	c.Fixed(p.CertificateReference[:])
	c.Fixed(p.CertificateSignature[:])
	c.Compact64(&p.CertificateIndex)
	codec.FixedList(c, &p.CertificateProof, maxMarryProofNodes)
	c.Fixed(p.SmesherID[:])
	c.Fixed(p.Signature[:])
}

// ProofDoubleMarry shows one identity married in two ATXs.
type ProofDoubleMarry struct {
	NodeID NodeID
	Proofs [2]MarryProof
}

// Code is spec 01 §13.2.
func (p *ProofDoubleMarry) Code(c *codec.Coder) {
	c.Fixed(p.NodeID[:])
	codec.Array(c, p.Proofs[:])
}
