package tortoise

import (
	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Mode is how votes are counted.
type Mode uint8

const (
	// Verifying: only ballots that agree with the local opinion count. The state
	// at start; left by becomeFull, when a layer that votes should have decided is
	// not verified.
	Verifying Mode = iota
	// Full: all votes count. Left by becomeVerifying, when both ways verify all.
	Full
)

func (m Mode) String() string {
	if m == Full {
		return "full"
	}
	return "verifying"
}

// Tortoise is the state of counting (spec 06 §9.2).
type Tortoise struct {
	params Params
	index  ATXIndex

	last, processed, verified, evicted wire.LayerID
	// pending is the lowest layer whose result the mesh has not seen; 0 is none.
	pending        wire.LayerID
	localThreshold fixed.Number
	mode           Mode
	totalGood      fixed.Number
	// counted: full counting has reached this layer.
	counted wire.LayerID

	epochs  map[wire.EpochID]*epoch
	layers  layers
	ballots map[wire.BallotID]*ballot
	// before is the opinion of layer evicted, which the first kept layer continues.
	before    wire.Hash32
	malicious map[wire.NodeID]struct{}
	// retry are ballots that came before their epoch's beacon.
	retry []*ballot
	// delayed are ballots with another beacon, by the layer at which they count.
	delayed map[wire.LayerID][]*ballot
	// dropped are epochs that were evicted since the last Effects.
	dropped []wire.EpochID

	// recovering: ballots come from the node's own database.
	recovering bool
	kept       map[wire.LayerID][]*segment
	expected   expectation
	buf        []byte
	decisions  []int8
}

// New is the state at the effective genesis (spec 06 §9.2). The index is read
// during calls only.
func New(params Params, index ATXIndex) *Tortoise {
	g := params.EffectiveGenesis
	t := &Tortoise{
		params: params, index: index,
		last: g, processed: g, pending: g, counted: g, evicted: g - 1,
		epochs:    make(map[wire.EpochID]*epoch),
		layers:    newLayers(g),
		ballots:   make(map[wire.BallotID]*ballot),
		malicious: make(map[wire.NodeID]struct{}),
		delayed:   make(map[wire.LayerID][]*ballot),
		kept:      make(map[wire.LayerID][]*segment),
	}
	t.layers.extend(g)
	genesis := t.layers.get(g)
	genesis.terminated = true
	genesis.opinion = OpinionHash(nil, false, nil)
	return t
}

// Status is where counting stands.
type Status struct {
	Last, Processed, Verified, Evicted wire.LayerID
	// Pending is the lowest layer that Updates reports; 0 is none.
	Pending wire.LayerID
	Mode    Mode
	// Counted is how far full counting came.
	Counted        wire.LayerID
	LocalThreshold fixed.Number
	// Retriable is how many ballots wait for a beacon.
	Retriable int
}

// Status is where counting stands.
func (t *Tortoise) Status() Status {
	return Status{
		Last: t.last, Processed: t.processed, Verified: t.verified, Evicted: t.evicted,
		Pending: t.pending, Mode: t.mode, Counted: t.counted,
		LocalThreshold: t.localThreshold, Retriable: len(t.retry),
	}
}

// Verified is the highest layer up to which all layers are decided.
func (t *Tortoise) Verified() wire.LayerID { return t.verified }

// Effects are what a call leaves to its caller.
type Effects struct {
	// DroppedEpochs are no longer needed in the ATXIndex.
	DroppedEpochs []wire.EpochID
}

func (t *Tortoise) effects() Effects {
	dropped := t.dropped
	t.dropped = nil
	return Effects{DroppedEpochs: dropped}
}

func (t *Tortoise) epochOf(layer wire.LayerID) wire.EpochID {
	return layer.Epoch(t.params.LayersPerEpoch)
}

func (t *Tortoise) epochAt(id wire.EpochID) *epoch {
	e := t.epochs[id]
	if e == nil {
		e = new(epoch)
		t.epochs[id] = e
	}
	return e
}

// markPending makes results from a layer on be reported again.
func (t *Tortoise) markPending(layer wire.LayerID) {
	if t.pending == 0 || layer < t.pending {
		t.pending = layer
	}
}
