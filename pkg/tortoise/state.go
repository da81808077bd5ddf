package tortoise

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	against int8 = -1
	neutral int8 = 0
	support int8 = 1
)

// block is a block as votes name it: by layer, id and height together.
type block struct {
	id       wire.BlockID
	layer    wire.LayerID
	height   uint64
	margin   fixed.Number
	hare     int8
	validity int8
	// data: the body is stored.
	data bool
	// registered: stands in its layer. Others exist only inside votes that are
	// decoded and not stored, or in layers that are evicted.
	registered bool
}

func (b *block) header() wire.Vote {
	return wire.Vote{ID: b.id, LayerID: b.layer, Height: b.height}
}

// compareBlocks is the order of blocks in a layer and in an opinion.
func compareBlocks(a, b *block) int {
	if c := cmp.Compare(a.height, b.height); c != 0 {
		return c
	}
	return bytes.Compare(a.id[:], b.id[:])
}

// reference is what the first ballot of an identity in an epoch declares for
// all that refer to it.
type reference struct {
	smesher wire.NodeID
	atx     wire.ATXID
	beacon  wire.Beacon
	slots   uint32
	height  uint64
	// num/den is the weight of one slot in lowest terms.
	num, den uint64
}

// ballot is a counted or countable ballot.
type ballot struct {
	id        wire.BallotID
	layer     wire.LayerID
	malicious bool
	badBeacon bool
	weight    fixed.Number
	ref       *reference
	opinion   *opinion
}

// layer is all there is about one layer.
type layer struct {
	id         wire.LayerID
	terminated bool
	// linked: the opinion continues that of the layer before.
	linked bool
	// pinned: the opinion is made of validities whatever the distance; the first
	// layer after a recovery.
	pinned        bool
	coin          int8
	refHeight     uint64
	opinion       wire.Hash32
	emptyMargin   fixed.Number
	goodUncounted fixed.Number
	blocks        []*block
	ballots       []*ballot
	// opinions of the layer's ballots, by hash.
	opinions []*opinion
	// weights of all ballots by ATX height; nil when ballots were added since.
	weights *heightWeights
}

// find returns the block with the identity of a vote.
func (l *layer) find(id wire.BlockID, height uint64) (int, bool) {
	return slices.BinarySearchFunc(l.blocks, height, func(b *block, height uint64) int {
		if c := cmp.Compare(b.height, height); c != 0 {
			return c
		}
		return bytes.Compare(b.id[:], id[:])
	})
}

func (l *layer) block(id wire.BlockID, height uint64) *block {
	if i, ok := l.find(id, height); ok {
		return l.blocks[i]
	}
	return nil
}

func (l *layer) insert(b *block) {
	i, _ := l.find(b.id, b.height)
	l.blocks = slices.Insert(l.blocks, i, b)
}

func (l *layer) findOpinion(hash wire.Hash32) (int, bool) {
	return slices.BinarySearchFunc(l.opinions, hash, func(o *opinion, hash wire.Hash32) int {
		return bytes.Compare(o.hash[:], hash[:])
	})
}

func (l *layer) knownOpinion(hash wire.Hash32) *opinion {
	if i, ok := l.findOpinion(hash); ok {
		return l.opinions[i]
	}
	return nil
}

func (l *layer) addOpinion(o *opinion) {
	if i, ok := l.findOpinion(o.hash); !ok {
		l.opinions = slices.Insert(l.opinions, i, o)
	}
}

// epoch is what is known of an epoch's ATXs and beacon.
type epoch struct {
	weight    fixed.Number
	height    uint64
	beacon    wire.Beacon
	hasBeacon bool
}
