package vrf

import (
	"crypto/sha512"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/ecvrf"
	"github.com/oasisprotocol/curve25519-voi/primitives/h2c"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Constants of the suite (spec 01 §18.1).
const (
	suite          = 0x04
	challengeFront = 0x02
	challengeBack  = 0x00
	hashDST        = "ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_\x04"
	challengeSize  = 16
)

// Prove makes the proof of message for the identity with the given seed. It is
// deterministic.
func Prove(seed [32]byte, message []byte) wire.VrfSignature {
	return wire.VrfSignature(ecvrf.Prove(ed25519.NewKeyFromSeed(seed[:]), message))
}

// Verify tells whether proof is valid for key and message (spec 01 §18.4).
func Verify(key wire.NodeID, message []byte, proof wire.VrfSignature) bool {
	k, ok := NewKey(key)
	return ok && k.Verify(message, proof)
}

// Key is a public key in the form that verification needs. Making it costs
// about a tenth of a verification; keep it where one identity sends many proofs.
type Key struct {
	id  wire.NodeID
	neg curve.EdwardsPoint
}

// NewKey decodes a public key. It is false for one that no proof is valid for:
// not canonical, not on the curve, or of small order.
func NewKey(id wire.NodeID) (*Key, bool) {
	y := curve.CompressedEdwardsY(id)
	k := &Key{id: id}
	if !y.IsCanonicalVartime() {
		return nil, false
	}
	if _, err := k.neg.SetCompressedY(&y); err != nil || k.neg.IsSmallOrder() {
		return nil, false
	}
	k.neg.Neg(&k.neg)
	return k, true
}

// proofParts are a proof's fields, decoded: Gamma (negated), c and s.
type proofParts struct {
	gamma    curve.CompressedEdwardsY
	negGamma curve.EdwardsPoint
	c, s     scalar.Scalar
}

func (p *proofParts) decode(proof *wire.VrfSignature) bool {
	p.gamma = curve.CompressedEdwardsY(proof[:32])
	if !p.gamma.IsCanonicalVartime() || !scalar.ScMinimalVartime(proof[48:]) {
		return false
	}
	if _, err := p.negGamma.SetCompressedY(&p.gamma); err != nil {
		return false
	}
	p.negGamma.Neg(&p.negGamma)
	var c [scalar.ScalarSize]byte
	copy(c[:challengeSize], proof[32:48])
	if _, err := p.c.SetBits(c[:]); err != nil {
		return false
	}
	_, err := p.s.SetBits(proof[48:])
	return err == nil
}

// Verify tells whether proof is valid for the key and message.
func (k *Key) Verify(message []byte, proof wire.VrfSignature) bool {
	var p proofParts
	if !p.decode(&proof) {
		return false
	}
	salted := make([]byte, 0, 128)
	salted = append(append(salted, k.id[:]...), message...)
	h, err := h2c.Edwards25519_XMD_SHA512_ELL2_NU([]byte(hashDST), salted)
	if err != nil {
		return false // only for a DST out of bounds, which ours is not
	}
	var u, v curve.EdwardsPoint
	u.DoubleScalarMulBasepointVartime(&p.c, &k.neg, &p.s)
	v.MultiscalarMulVartime([]*scalar.Scalar{&p.s, &p.c}, []*curve.EdwardsPoint{h, &p.negGamma})

	want := challenge(&k.id, h, &p.gamma, &u, &v)
	return [challengeSize]byte(proof[32:48]) == want
}

// challenge hashes the transcript of a proof (spec 01 §18.4).
func challenge(
	id *wire.NodeID, h *curve.EdwardsPoint, gamma *curve.CompressedEdwardsY, u, v *curve.EdwardsPoint,
) [challengeSize]byte {
	var buf [3 + 5*32]byte
	var point curve.CompressedEdwardsY
	b := append(buf[:0], suite, challengeFront)
	b = append(b, id[:]...)
	b = append(b, point.SetEdwardsPoint(h)[:]...)
	b = append(b, gamma[:]...)
	b = append(b, point.SetEdwardsPoint(u)[:]...)
	b = append(b, point.SetEdwardsPoint(v)[:]...)
	sum := sha512.Sum512(append(b, challengeBack))
	return [challengeSize]byte(sum[:])
}
