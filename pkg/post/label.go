package post

import (
	"encoding/binary"

	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Commitment binds data to an identity and an activation (spec 02 §2.1).
func Commitment(id wire.NodeID, commitmentATX wire.ATXID) [32]byte {
	var in [64]byte
	copy(in[:32], id[:])
	copy(in[32:], commitmentATX[:])
	return blake3.Sum256(in[:])
}

// FullLabel is the whole output of the label function. The first 16 bytes are
// the label on disk; all 32 are compared with the VRF difficulty (spec 02 §2.2).
type FullLabel [32]byte

// Short is the label as it lies on disk.
func (l *FullLabel) Short() [LabelSize]byte { return [LabelSize]byte(l[:LabelSize]) }

// Place names a label: any index is legal, also one past the data.
type Place struct {
	Commitment [32]byte
	Index      uint64
}

// Labeler computes labels of one cost. It keeps its scratch (128·N bytes a lane,
// 1 MiB on mainnet) and is for one goroutine at a time.
type Labeler struct {
	cost    Scrypt
	scratch []uint32
	keys    [maxLanes]keyedHash
	states  [maxLanes]mixState
	places  [maxLanes]Place
	labels  [maxLanes]FullLabel
}

// NewLabeler fails on parameters for which no labels are defined. Scratch is
// allocated when it is first needed.
func NewLabeler(cost Scrypt) (*Labeler, error) {
	if !cost.Valid() || cost.N > maxScryptMemory/128/cost.R || cost.P > maxScryptMemory/128/cost.R {
		return nil, ErrScryptParams
	}
	return &Labeler{cost: cost}, nil
}

// Lanes is how many places Fill handles best at once.
func (l *Labeler) Lanes() int { return preferredLanes() }

// Label computes one label.
func (l *Labeler) Label(at Place) FullLabel {
	var out [1]FullLabel
	l.Fill([]Place{at}, out[:])
	return out[0]
}

// Fill computes out[i] of places[i]; places may belong to different commitments.
// out must be at least as long as places.
func (l *Labeler) Fill(places []Place, out []FullLabel) {
	for len(places) > 0 {
		n := min(len(places), maxLanes)
		l.fillLanes(places[:n], out[:n])
		places, out = places[n:], out[n:]
	}
}

func (l *Labeler) fillLanes(places []Place, out []FullLabel) {
	if l.cost.R != 1 || l.cost.P != 1 {
		for i, at := range places {
			password := labelPassword(at)
			// The cost was checked by NewLabeler, so this cannot fail.
			_ = DeriveKey(password[:], nil, l.cost, out[i][:])
		}
		return
	}
	if need := kernelLanes(len(places)) * laneWords(l.cost.N); len(l.scratch) < need {
		l.scratch = make([]uint32, need)
	}
	var bytes [128]byte
	for i, at := range places {
		password := labelPassword(at)
		l.keys[i].setKey(password[:])
		l.keys[i].derive(nil, bytes[:])
		for w := range l.states[i] {
			l.states[i][w] = binary.LittleEndian.Uint32(bytes[4*w:])
		}
	}
	mixLanes(&l.states, len(places), l.scratch, l.cost.N)
	for i := range places {
		for w, v := range l.states[i] {
			binary.LittleEndian.PutUint32(bytes[4*w:], v)
		}
		l.keys[i].derive(bytes[:], out[i][:])
	}
}

func labelPassword(at Place) (password [keccakRate]byte) {
	copy(password[:], at.Commitment[:])
	binary.LittleEndian.PutUint64(password[32:], at.Index)
	return password
}

// Range writes the labels start, start+1, … into out, 16 bytes each, and offers
// every one to search, which may be nil. len(out) must be a multiple of 16.
func (l *Labeler) Range(commitment [32]byte, start uint64, out []byte, search *NonceSearch) {
	for len(out) > 0 {
		n := min(len(out)/LabelSize, maxLanes)
		if n == 0 {
			return
		}
		for i := range n {
			l.places[i] = Place{Commitment: commitment, Index: start + uint64(i)}
		}
		l.fillLanes(l.places[:n], l.labels[:n])
		for i := range n {
			copy(out[LabelSize*i:], l.labels[i][:LabelSize])
			search.Offer(start+uint64(i), &l.labels[i])
		}
		start, out = start+uint64(n), out[LabelSize*n:]
	}
}
