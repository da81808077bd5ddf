package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ErrLost says that an ATX in an identity's history came from an earlier
// checkpoint and is not in the new one: it has no blob to carry over.
var ErrLost = errors.New("atx of an earlier checkpoint")

// Links are what an ATX refers to; zero where it refers to nothing.
type Links struct {
	PublishEpoch wire.EpochID
	// FromCheckpoint says that the ATX was restored and has no blob.
	FromCheckpoint bool
	Commitment     wire.ATXID
	Positioning    wire.ATXID
	Previous       []wire.ATXID
	Marriage       wire.ATXID
	PoetProofs     []wire.PoetProofRef
}

// Own is an identity of this node and what it has of its chain.
type Own struct {
	Smesher wire.NodeID
	// Latest is its newest ATX, zero if it has none.
	Latest wire.ATXID
	// Commitment and Positioning are of an ATX under construction.
	Commitment, Positioning wire.ATXID
}

// Preserved is what to carry over into the new database.
type Preserved struct {
	// ATXs in the order in which they can be validated.
	ATXs       []wire.ATXID
	PoetProofs []wire.PoetProofRef
	// Failed are the identities that lose their chain, with the reason.
	Failed []Failure
}

// Failure is an identity whose chain cannot be carried over.
type Failure struct {
	Smesher wire.NodeID
	Err     error
}

// Preserve collects the ATXs on which own identities build, as far as they are
// not in the checkpoint (spec 07 §11.7). One identity's failure does not touch
// the others. Lookup gives an ATX of the old database.
func Preserve(own []Own, golden wire.ATXID, inCheckpoint func(wire.ATXID) bool, lookup func(wire.ATXID) (Links, error)) Preserved {
	var out Preserved
	all := map[wire.ATXID]Links{}
	for _, identity := range own {
		w := walk{found: map[wire.ATXID]Links{}, lookup: lookup, stop: func(id wire.ATXID) bool {
			return wire.IsZero(id) || id == golden || inCheckpoint(id)
		}}
		if err := w.collect(identity.roots()); err != nil {
			out.Failed = append(out.Failed, Failure{Smesher: identity.Smesher, Err: err})
			continue
		}
		for id, links := range w.found {
			all[id] = links
		}
	}
	out.order(all)
	return out
}

// roots are where the walk starts. An identity that builds its first ATX may
// have only one of them, or none.
func (o *Own) roots() []wire.ATXID {
	if wire.IsZero(o.Latest) {
		return []wire.ATXID{o.Commitment, o.Positioning}
	}
	return []wire.ATXID{o.Latest, o.Positioning}
}

// walk visits every ATX once, without recursion: chains are years long.
type walk struct {
	found  map[wire.ATXID]Links
	lookup func(wire.ATXID) (Links, error)
	stop   func(wire.ATXID) bool
}

func (w *walk) collect(pending []wire.ATXID) error {
	for len(pending) > 0 {
		id := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if _, seen := w.found[id]; seen || w.stop(id) {
			continue
		}
		links, err := w.lookup(id)
		if err != nil {
			return fmt.Errorf("read atx %v: %w", id, err)
		}
		if links.FromCheckpoint {
			return fmt.Errorf("%w: %v", ErrLost, id)
		}
		w.found[id] = links
		pending = append(pending, links.Commitment, links.Positioning, links.Marriage)
		pending = append(pending, links.Previous...)
	}
	return nil
}

// order sorts ATXs by publish epoch and id, so that what an ATX refers to comes
// before it.
func (p *Preserved) order(all map[wire.ATXID]Links) {
	for id := range all {
		p.ATXs = append(p.ATXs, id)
	}
	slices.SortFunc(p.ATXs, func(a, b wire.ATXID) int {
		return cmp.Or(cmp.Compare(all[a].PublishEpoch, all[b].PublishEpoch), wire.Compare(a, b))
	})
	seen := map[wire.PoetProofRef]bool{}
	for _, id := range p.ATXs {
		for _, ref := range all[id].PoetProofs {
			if !seen[ref] {
				seen[ref] = true
				p.PoetProofs = append(p.PoetProofs, ref)
			}
		}
	}
}
