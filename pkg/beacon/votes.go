package beacon

import (
	"bytes"
	"maps"
	"math/big"
	"math/bits"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Proposal is a proposed value.
type Proposal = wire.BeaconProposal

type proposalSet map[Proposal]struct{}

func newSet(list []Proposal) proposalSet {
	set := make(proposalSet, len(list))
	for _, p := range list {
		set[p] = struct{}{}
	}
	return set
}

func (s proposalSet) sorted() []Proposal { return slices.SortedFunc(maps.Keys(s), compareProposals) }

func compareProposals(a, b Proposal) int { return bytes.Compare(a[:], b[:]) }

// Margin is the signed 128-bit sum of the weights for and against a proposal,
// which is enough for every vote of an epoch.
type Margin struct {
	hi int64
	lo uint64
}

func (m *Margin) add(weight uint64) {
	var carry uint64
	m.lo, carry = bits.Add64(m.lo, weight, 0)
	m.hi += int64(carry)
}

func (m *Margin) sub(weight uint64) {
	var borrow uint64
	m.lo, borrow = bits.Sub64(m.lo, weight, 0)
	m.hi -= int64(borrow)
}

// Big is the margin as an integer.
func (m Margin) Big() *big.Int {
	v := new(big.Int).Lsh(big.NewInt(m.hi), 64)
	return v.Add(v, new(big.Int).SetUint64(m.lo))
}

// VotingThreshold is θ of spec 05 §16.4, the margin that decides.
func VotingThreshold(theta *big.Rat, weight uint64) *big.Int {
	share := new(big.Float).SetPrec(64).SetRat(theta)
	share.Mul(share, new(big.Float).SetPrec(64).SetUint64(weight))
	out, _ := share.Int(nil)
	return out
}

// Opinion is what a node holds of the proposals after a tally, each list
// ascending (spec 05 §16.4).
type Opinion struct {
	Support, Against, Undecided []Proposal
}

// tally sorts the proposals by their margins.
func tally(margins map[Proposal]*Margin, theta *big.Int) (o Opinion) {
	negative := new(big.Int).Neg(theta)
	for p, m := range margins {
		switch v := m.Big(); {
		case v.Cmp(theta) >= 0:
			o.Support = append(o.Support, p)
		case v.Cmp(negative) <= 0:
			o.Against = append(o.Against, p)
		default:
			o.Undecided = append(o.Undecided, p)
		}
	}
	for _, list := range [][]Proposal{o.Support, o.Against, o.Undecided} {
		slices.SortFunc(list, compareProposals)
	}
	return o
}

// decide moves the undecided to the side that the coin shows (spec 05 §16.2).
func (o Opinion) decide(coin bool) Opinion {
	side := &o.Against
	if coin {
		side = &o.Support
	}
	*side = slices.Concat(*side, o.Undecided)
	slices.SortFunc(*side, compareProposals)
	o.Undecided = nil
	return o
}

// beacon hashes the supported proposals; ok is false if there are none (spec 05
// §18.1).
func (o Opinion) beacon() (out wire.Beacon, ok bool) {
	if len(o.Support) == 0 {
		return out, false
	}
	joined := make([]byte, 0, len(Proposal{})*len(o.Support))
	for i := range o.Support {
		joined = append(joined, o.Support[i][:]...)
	}
	hash := wire.Sum(joined)
	return wire.Beacon(hash[:4]), true
}

// EncodeVotes is the bit vector of the supported entries of a first-round list:
// a big-endian integer without leading zero bytes (spec 05 §16.3).
func EncodeVotes(first, support []Proposal) []byte {
	set := newSet(support)
	out := make([]byte, (len(first)+7)/8)
	for i, p := range first {
		if _, ok := set[p]; ok {
			out[len(out)-1-i/8] |= 1 << (i % 8)
		}
	}
	return bytes.TrimLeft(out, "\x00")
}

// votesFor reads bit i; entries beyond the vector are against.
func votesFor(vector []byte, i int) bool {
	at := len(vector) - 1 - i/8
	return at >= 0 && vector[at]>>(i%8)&1 == 1
}

// DecodeVotes splits a first-round list by the bit vector; bits beyond the list
// mean nothing.
func DecodeVotes(first []Proposal, vector []byte) (support, against []Proposal) {
	for i, p := range first {
		if votesFor(vector, i) {
			support = append(support, p)
		} else {
			against = append(against, p)
		}
	}
	return support, against
}
