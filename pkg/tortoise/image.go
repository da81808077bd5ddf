package tortoise

import (
	"math"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// imageVersion changes whenever the meaning of an image does; an image of
// another version is not read, and the state is rebuilt instead.
const imageVersion = 1

const unbounded = math.MaxUint32

// image is the whole state with positions in lists in place of pointers. It is
// the form in which a state is stored.
type image struct {
	version                                     uint32
	last, processed, verified, evicted, pending wire.LayerID
	counted                                     wire.LayerID
	mode                                        uint8
	localThreshold, totalGood                   number
	before                                      wire.Hash32
	malicious                                   []wire.NodeID
	epochs                                      []epochImage
	refs                                        []referenceImage
	votes                                       []voteImage
	slots                                       []slotsImage
	// segments stand after those that they continue.
	segments []segmentImage
	layers   []layerImage
	// retry and delayed name ballots; one that was evicted has its layer only.
	retry   []ballotRef
	delayed []ballotRef
}

// Code is the layout of an image.
func (m *image) Code(c *codec.Coder) {
	c.Compact32(&m.version)
	if c.Reading() && m.version != imageVersion {
		c.Fail(errImage)
		return
	}
	for _, id := range []*wire.LayerID{&m.last, &m.processed, &m.verified, &m.evicted, &m.pending, &m.counted} {
		id.Code(c)
	}
	c.U8(&m.mode)
	m.localThreshold.Code(c)
	m.totalGood.Code(c)
	c.Fixed(m.before[:])
	codec.FixedList(c, &m.malicious, unbounded)
	codec.List(c, &m.epochs, unbounded)
	codec.List(c, &m.refs, unbounded)
	codec.List(c, &m.votes, unbounded)
	codec.List(c, &m.slots, unbounded)
	codec.List(c, &m.segments, unbounded)
	codec.List(c, &m.layers, unbounded)
	codec.List(c, &m.retry, unbounded)
	codec.List(c, &m.delayed, unbounded)
}

// number is a fixed-point number in an image.
type number struct{ fixed.Number }

func (n *number) Code(c *codec.Coder) {
	lo, hi := n.Bits()
	c.U64(&lo)
	c.U64(&hi)
	n.Number = fixed.FromBits(lo, hi)
}

// small is a vote in an image: -1, 0 or +1.
func small(c *codec.Coder, v *int8) {
	u := uint8(*v + 1)
	if c.U8(&u); u > 2 {
		c.Fail(errImage)
		return
	}
	*v = int8(u) - 1
}

type epochImage struct {
	id        wire.EpochID
	weight    number
	height    uint64
	beacon    wire.Beacon
	hasBeacon bool
}

func (m *epochImage) Code(c *codec.Coder) {
	m.id.Code(c)
	m.weight.Code(c)
	c.Compact64(&m.height)
	c.Fixed(m.beacon[:])
	c.Bool(&m.hasBeacon)
}

type referenceImage struct{ reference }

func (m *referenceImage) Code(c *codec.Coder) {
	c.Fixed(m.smesher[:])
	c.Fixed(m.atx[:])
	c.Fixed(m.beacon[:])
	c.Compact32(&m.slots)
	c.Compact64(&m.height)
	c.Compact64(&m.num)
	c.Compact64(&m.den)
}

type voteImage struct {
	abstain bool
	support []wire.Vote
}

func (m *voteImage) Code(c *codec.Coder) {
	c.Bool(&m.abstain)
	codec.List(c, &m.support, unbounded)
}

// slotsImage are the votes in slots first, first+1 …; 0 is none.
type slotsImage struct {
	first uint32
	votes []uint32
}

func (m *slotsImage) Code(c *codec.Coder) {
	c.Compact32(&m.first)
	codec.CompactList(c, &m.votes, segmentSize)
}

// segmentImage counts segments and slots from 1; 0 is none.
type segmentImage struct {
	prev    uint32
	first   wire.LayerID
	hash    wire.Hash32
	hasHash bool
	slots   uint32
}

func (m *segmentImage) Code(c *codec.Coder) {
	c.Compact32(&m.prev)
	m.first.Code(c)
	c.Fixed(m.hash[:])
	c.Bool(&m.hasHash)
	c.Compact32(&m.slots)
}

type opinionImage struct {
	hash                    wire.Hash32
	hasHash, trusted        bool
	abstainLow, abstainHigh wire.LayerID
	tail                    uint32
	end                     wire.LayerID
}

func (m *opinionImage) Code(c *codec.Coder) {
	c.Fixed(m.hash[:])
	c.Bool(&m.hasHash)
	c.Bool(&m.trusted)
	m.abstainLow.Code(c)
	m.abstainHigh.Code(c)
	c.Compact32(&m.tail)
	m.end.Code(c)
}

type blockImage struct{ block }

func (m *blockImage) Code(c *codec.Coder) {
	c.Fixed(m.id[:])
	c.Compact64(&m.height)
	margin := number{m.margin}
	margin.Code(c)
	m.margin = margin.Number
	small(c, &m.hare)
	small(c, &m.validity)
	c.Bool(&m.data)
}

type ballotImage struct {
	id                   wire.BallotID
	malicious, badBeacon bool
	weight               number
	// ref and opinion are positions, the opinion's in its layer.
	ref, opinion uint32
}

func (m *ballotImage) Code(c *codec.Coder) {
	c.Fixed(m.id[:])
	c.Bool(&m.malicious)
	c.Bool(&m.badBeacon)
	m.weight.Code(c)
	c.Compact32(&m.ref)
	c.Compact32(&m.opinion)
}

type layerImage struct {
	id                         wire.LayerID
	terminated, linked, pinned bool
	coin                       int8
	refHeight                  uint64
	opinion                    wire.Hash32
	emptyMargin, goodUncounted number
	blocks                     []blockImage
	opinions                   []opinionImage
	ballots                    []ballotImage
}

func (m *layerImage) Code(c *codec.Coder) {
	m.id.Code(c)
	c.Bool(&m.terminated)
	c.Bool(&m.linked)
	c.Bool(&m.pinned)
	small(c, &m.coin)
	c.Compact64(&m.refHeight)
	c.Fixed(m.opinion[:])
	m.emptyMargin.Code(c)
	m.goodUncounted.Code(c)
	codec.List(c, &m.blocks, unbounded)
	codec.List(c, &m.opinions, unbounded)
	codec.List(c, &m.ballots, unbounded)
}

// ballotRef names a ballot, by its layer and id, and the layer at which it is
// counted if it is delayed.
type ballotRef struct {
	id        wire.BallotID
	layer, at wire.LayerID
}

func (m *ballotRef) Code(c *codec.Coder) {
	c.Fixed(m.id[:])
	m.layer.Code(c)
	m.at.Code(c)
}
