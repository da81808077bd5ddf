package post

import "github.com/smeshery/smeshery/pkg/wire"

// Proof is a PoST proof (spec 02 §7.1).
type Proof struct {
	Nonce   uint32
	Indices []byte // K2 packed label indices
	Pow     uint64 // of the nonce's group
}

// Statement is what a proof is about (spec 02 §9.1).
type Statement struct {
	NodeID        wire.NodeID
	CommitmentATX wire.ATXID
	Challenge     wire.Hash32
	NumUnits      uint32
}

// Selection says which indices of a proof are checked (spec 02 §9.3). The zero
// value is All.
type Selection struct {
	mode    byte
	k3      uint32
	ordinal int
	seed    []byte
}

const (
	selectAll byte = iota
	selectOne
	selectSubset
)

// All checks every index: a node's own and initial proofs, a certifier.
func All() Selection { return Selection{} }

// One checks the index at an ordinal only: a malfeasance proof. An ordinal past
// the end checks no index and succeeds.
func One(ordinal int) Selection { return Selection{mode: selectOne, ordinal: ordinal} }

// Subset checks k3 indices that the seed picks: proofs in received ATXs, with
// the node's own peer ID as seed. The seed is kept, not copied.
func Subset(k3 uint32, seed []byte) Selection {
	return Selection{mode: selectSubset, k3: k3, seed: seed}
}

// ordinals of a proof of k2 indices, in the order in which they are checked.
func (s Selection) ordinals(st *Statement, k2 uint32) []int {
	switch {
	case s.mode == selectOne:
		if s.ordinal < 0 || uint64(s.ordinal) >= uint64(k2) {
			return nil
		}
		return []int{s.ordinal}
	case s.mode == selectSubset && s.k3 != k2:
		return subset(s.seed, st.NodeID, st.Challenge, k2, s.k3)
	default:
		all := make([]int, k2)
		for i := range all {
			all[i] = i
		}
		return all
	}
}

// Task is one proof to verify. PowVerified says that the RandomX pow was checked
// elsewhere (or is not wanted) and skips it; every other check stays.
type Task struct {
	Proof       Proof
	Statement   Statement
	Select      Selection
	PowVerified bool
}
