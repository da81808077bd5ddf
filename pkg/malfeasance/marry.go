package malfeasance

import (
	"fmt"

	"github.com/smeshery/smeshery/pkg/merkle"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	// marriagesLeaf is the position of the marriages in the tree of an ATX's
	// fields (spec 04 §2.5).
	marriagesLeaf = 7
	zeroLeafSize  = 32
)

// References resolves the ATX that a certificate names to its signer.
type References func(wire.ATXID) (wire.NodeID, error)

// BuildDoubleMarry proves that an identity is married in two ATXs. It fails
// with ErrNotMarried if one of them has no certificate of the identity, and with
// RuleSameATX for one ATX.
func BuildDoubleMarry(
	id wire.NodeID, a, b *wire.ActivationTxV2, signer References,
) (*wire.ProofDoubleMarry, error) {
	if a.ID() == b.ID() {
		return nil, broken(RuleSameATX, "%v", a.ID())
	}
	proof := &wire.ProofDoubleMarry{NodeID: id}
	for i, atx := range [2]*wire.ActivationTxV2{a, b} {
		part, err := buildMarry(id, atx, signer)
		if err != nil {
			return nil, err
		}
		proof.Proofs[i] = *part
	}
	return proof, nil
}

func buildMarry(id wire.NodeID, a *wire.ActivationTxV2, signer References) (*wire.MarryProof, error) {
	index, err := certificateOf(id, a, signer)
	if err != nil {
		return nil, err
	}
	fields := a.FieldLeaves()
	_, marriage := merkle.Prove(merkle.Blake3, fields[:], marriagesLeaf)

	leaves := make([][]byte, wire.MaxMarriages)
	for i := range leaves {
		leaves[i] = make([]byte, zeroLeafSize)
	}
	for i := range a.Marriages {
		root := a.Marriages[i].MerkleRoot()
		leaves[i] = root[:]
	}
	root, certificate := merkle.Prove(merkle.Blake3, leaves, uint64(index))
	return &wire.MarryProof{
		ATXID:                a.ID(),
		MarriageRoot:         wire.Hash32(root),
		MarriageProof:        hashes(marriage),
		CertificateReference: a.Marriages[index].ReferenceAtx,
		CertificateSignature: a.Marriages[index].Signature,
		CertificateIndex:     uint64(index),
		CertificateProof:     hashes(certificate),
		SmesherID:            a.SmesherID,
		Signature:            a.Signature,
	}, nil
}

func certificateOf(id wire.NodeID, a *wire.ActivationTxV2, signer References) (int, error) {
	for i := range a.Marriages {
		reference := a.Marriages[i].ReferenceAtx
		if wire.IsZero(reference) {
			if a.SmesherID == id {
				return i, nil
			}
			continue
		}
		who, err := signer(reference)
		if err != nil {
			return 0, failed("read reference atx", err)
		}
		if who == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: %v in %v", ErrNotMarried, id, a.ID())
}

// VerifyDoubleMarry returns the identity that a proof accuses (spec 04 §16).
func VerifyDoubleMarry(v signing.Verifier, p *wire.ProofDoubleMarry) (wire.NodeID, error) {
	if p.Proofs[0].ATXID == p.Proofs[1].ATXID {
		return wire.NodeID{}, broken(RuleSameATX, "%v", p.Proofs[0].ATXID)
	}
	for i := range p.Proofs {
		if err := verifyMarry(v, p.NodeID, &p.Proofs[i]); err != nil {
			return wire.NodeID{}, err
		}
	}
	return p.NodeID, nil
}

func verifyMarry(v signing.Verifier, id wire.NodeID, p *wire.MarryProof) error {
	if !v.Verify(signing.ATX, p.SmesherID, p.ATXID[:], p.Signature) {
		return broken(RuleATXSignature, "%v", p.SmesherID)
	}
	if !v.Verify(signing.Marriage, id, p.SmesherID[:], p.CertificateSignature) {
		return broken(RuleCertificateSignature, "%v", id)
	}
	if !proves(marriagesLeaf, p.MarriageRoot[:], p.MarriageProof, p.ATXID[:]) {
		return broken(RuleMarriageProof, "")
	}
	certificate := wire.MarriageCertificate{ReferenceAtx: p.CertificateReference, Signature: p.CertificateSignature}
	leaf := certificate.MerkleRoot()
	if !proves(p.CertificateIndex, leaf[:], p.CertificateProof, p.MarriageRoot[:]) {
		return broken(RuleCertificateProof, "")
	}
	return nil
}

func proves(index uint64, leaf []byte, nodes []wire.Hash32, root []byte) bool {
	ok, err := merkle.Verify(merkle.Blake3, []uint64{index}, [][]byte{leaf}, nodes, root)
	return ok && err == nil
}

func hashes(nodes [][]byte) []wire.Hash32 {
	out := make([]wire.Hash32, len(nodes))
	for i := range nodes {
		copy(out[i][:], nodes[i]) // nodes are 32 bytes but for the coinbase leaf
	}
	return out
}
