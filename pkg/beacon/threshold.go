package beacon

import (
	"bytes"
	"math/big"

	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	proofBits = 8 * len(wire.VrfSignature{})
	// exactBits holds every intermediate of the threshold without rounding.
	exactBits = 512
)

// Threshold is the bound below which a VRF proof, read as a big-endian integer,
// may propose (spec 05 §15.2). The zero value passes nothing.
type Threshold struct {
	below [proofBits / 8]byte
	all   bool // the bound is 2^640
}

// NewThreshold computes the bound for a number of ATXs, so that about
// kappa·ln2/(1−q) proposals pass. q is below 1.
func NewThreshold(kappa uint64, q *big.Rat, atxs int) Threshold {
	var t Threshold
	scaled := new(big.Float).SetPrec(exactBits).SetMantExp(proposalFraction(kappa, q, atxs), proofBits)
	bound, _ := scaled.Int(nil)
	if bound.BitLen() > proofBits {
		t.all = true
		return t
	}
	bound.FillBytes(t.below[:])
	return t
}

// Passes tells whether the proof is below the bound.
func (t *Threshold) Passes(proof *wire.VrfSignature) bool {
	return t.all || bytes.Compare(proof[:], t.below[:]) < 0
}

// Bytes is the bound as a big-endian integer.
func (t *Threshold) Bytes() (out [proofBits/8 + 1]byte) {
	copy(out[1:], t.below[:])
	if t.all {
		out[0] = 1
	}
	return out
}

// proposalFraction is F of spec 05 §15.2, the share of proofs that pass. Each
// rounding is part of the definition.
func proposalFraction(kappa uint64, q *big.Rat, atxs int) *big.Float {
	if atxs <= 0 {
		return new(big.Float)
	}
	ratio := new(big.Rat).Sub(big.NewRat(1, 1), q)
	ratio.Mul(ratio, new(big.Rat).SetInt64(int64(atxs)))
	ratio.Quo(new(big.Rat).SetInt(new(big.Int).SetUint64(kappa)), ratio)
	w := new(big.Float).SetPrec(64).SetRat(ratio)

	one := big.NewFloat(1)
	if w.Cmp(big.NewFloat(200)) > 0 {
		return one // 2^−w vanishes in the last rounding
	}
	power := new(big.Float).SetPrec(128).Set(exp2(w))
	inverse := new(big.Float).SetPrec(128).Quo(one, power)
	miss := new(big.Float).SetPrec(64).Set(inverse)
	exact := new(big.Float).SetPrec(exactBits).Sub(one, miss)
	return new(big.Float).SetPrec(64).Set(exact)
}

// exp2 is 2^w for 0 ≤ w ≤ 200, to far more than the 128 bits that are used.
func exp2(w *big.Float) *big.Float {
	whole, _ := w.Int64()
	part := exact().Sub(exact().Set(w), exact().SetInt64(whole))
	part.Mul(part, ln2())
	sum, term := exact().SetInt64(1), exact().SetInt64(1)
	for n := int64(1); n < 80 && term.Sign() != 0; n++ {
		term.Quo(term.Mul(term, part), exact().SetInt64(n))
		sum.Add(sum, term)
	}
	return sum.SetMantExp(sum, int(whole))
}

// ln2 sums 1/(k·2^k).
func ln2() *big.Float {
	sum := exact()
	for k := int64(1); k < exactBits; k++ {
		term := exact().Quo(exact().SetInt64(1), exact().SetInt64(k))
		sum.Add(sum, term.SetMantExp(term, -int(k)))
	}
	return sum
}

func exact() *big.Float { return new(big.Float).SetPrec(exactBits) }
