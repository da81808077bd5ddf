package post

import "math/bits"

// Sizes and bounds that no network changes.
const (
	LabelSize      = 16   // bytes of a label on disk
	NoncesPerGroup = 16   // spec 02 §7.3
	MaxNonceGroup  = 255  // spec 02 §7.3
	NumNonces      = 4096 // that a challenge offers
)

// Scrypt are the cost parameters of the label function. Every network has
// R = P = 1; initialization supports nothing else (spec 02 §2.2).
type Scrypt struct {
	N, R, P uint64
}

// Valid tells whether labels are defined for the parameters.
func (s Scrypt) Valid() bool {
	return powerOfTwo(s.N) && s.N >= 2 && powerOfTwo(s.R) && powerOfTwo(s.P)
}

func powerOfTwo(v uint64) bool { return bits.OnesCount64(v) == 1 }

// maxScryptMemory bounds the scratch of one label, against a configuration that
// would take the machine down.
const maxScryptMemory = 1 << 32

// Params are the numbers of a network (spec 02 §4.1).
type Params struct {
	MinNumUnits   uint32
	MaxNumUnits   uint32
	LabelsPerUnit uint64
	K1            uint32   // expected good labels of a nonce
	K2            uint32   // labels of a proof
	K3            uint32   // labels that are checked of somebody else's proof
	PowDifficulty [32]byte // for one unit, big endian
	Scrypt        Scrypt
}

// NumLabels is the size of the data of numUnits units. ok is false when it does
// not fit 64 bits.
func NumLabels(numUnits uint32, labelsPerUnit uint64) (n uint64, ok bool) {
	hi, lo := bits.Mul64(uint64(numUnits), labelsPerUnit)
	return lo, hi == 0
}
