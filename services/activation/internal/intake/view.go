package intake

import (
	"context"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// known is an answer that was read; the zero value says that there is none.
type known[T any] struct {
	value T
	found bool
}

// older is an ATX with its publish epoch.
type older struct {
	id      wire.ATXID
	publish wire.EpochID
}

// rows are what was read from the tables for one batch. A key that is absent
// was not asked for yet. They do not change while the batch is judged.
type rows struct {
	atxs        map[wire.ATXID]*atx.Row // nil: not stored
	units       map[wire.ATXID]map[wire.NodeID]uint32
	commitments map[wire.NodeID]known[older]
	malicious   map[wire.NodeID]bool
	nodes       map[wire.NodeID]bool // signed an ATX
	married     map[wire.NodeID]bool // found malicious by the second generation
	poets       map[wire.PoetProofRef]known[atx.PoetProof]
	signed      map[db.NodeEpoch]known[wire.ATXID]
	posted      map[db.NodeEpoch]known[wire.ATXID]
	last        map[db.NodeEpoch]known[older]
	on          map[db.NodeATX]known[wire.ATXID]
	merged      map[db.ATXEpoch]known[wire.ATXID]
	blobs       map[wire.ATXID]known[[]byte]
	marriages   map[wire.NodeID]known[atx.Marriage]
	sets        map[atx.MarriageID][]wire.NodeID
	lastSet     known[atx.MarriageID]
}

func newRows(n int) *rows {
	return &rows{
		atxs:        make(map[wire.ATXID]*atx.Row, 3*n),
		units:       make(map[wire.ATXID]map[wire.NodeID]uint32, n),
		commitments: make(map[wire.NodeID]known[older], n),
		malicious:   make(map[wire.NodeID]bool, n),
		married:     make(map[wire.NodeID]bool),
		nodes:       make(map[wire.NodeID]bool),
		poets:       make(map[wire.PoetProofRef]known[atx.PoetProof]),
		signed:      make(map[db.NodeEpoch]known[wire.ATXID], n),
		posted:      make(map[db.NodeEpoch]known[wire.ATXID]),
		last:        make(map[db.NodeEpoch]known[older], n),
		on:          make(map[db.NodeATX]known[wire.ATXID]),
		merged:      make(map[db.ATXEpoch]known[wire.ATXID]),
		blobs:       make(map[wire.ATXID]known[[]byte]),
		marriages:   make(map[wire.NodeID]known[atx.Marriage]),
		sets:        make(map[atx.MarriageID][]wire.NodeID),
	}
}

// View is the state that a batch is judged by: rows that were read, and what the
// ATXs judged so far add to them. It implements atx.State. What was not loaded
// beforehand is read when it is asked for, which is right but slow.
//
// It lives as long as one batch, and only therefore holds the batch's context.
type View struct {
	ctx    context.Context
	db     db.Batcher
	own    func(wire.NodeID) bool
	rows   *rows
	added  overlay
	loaded bool
	heads  db.Heads // from before the first row was read
	failed error    // a read failed: nothing that was judged counts
}

func newView(ctx context.Context, q db.Batcher, own func(wire.NodeID) bool, n int) *View {
	v := &View{ctx: ctx, db: q, own: own, rows: newRows(n)}
	v.added.reset()
	return v
}

// ATX implements atx.Reader.
func (v *View) ATX(id wire.ATXID) (atx.Row, bool, error) {
	if added, ok := v.added.atxs[id]; ok {
		return *added.Row, true, nil
	}
	row, ok := v.rows.atxs[id]
	if !ok {
		if err := v.fetch(&wanted{atxs: []wire.ATXID{id}}); err != nil {
			return atx.Row{}, false, err
		}
		row = v.rows.atxs[id]
	}
	if row == nil {
		return atx.Row{}, false, nil
	}
	return *row, true, nil
}

// Units implements atx.Reader.
func (v *View) Units(id wire.ATXID, node wire.NodeID) (uint32, bool, error) {
	if added, ok := v.added.atxs[id]; ok {
		for i := range added.Posts {
			if added.Posts[i].NodeID == node {
				return added.Posts[i].Units, true, nil
			}
		}
		return 0, false, nil
	}
	if _, ok := v.rows.units[id]; !ok {
		if err := v.fetch(&wanted{units: []wire.ATXID{id}}); err != nil {
			return 0, false, err
		}
	}
	units, ok := v.rows.units[id][node]
	return units, ok, nil
}

// Commitment implements atx.Reader.
func (v *View) Commitment(node wire.NodeID) (wire.ATXID, bool, error) {
	base, err := lookup(v, v.rows.commitments, node, func(w *wanted) { w.commitments = []wire.NodeID{node} })
	if err != nil {
		return wire.ATXID{}, false, err
	}
	if added, ok := v.added.commitments[node]; ok && (!base.found || added.publish >= base.value.publish) {
		return added.id, true, nil
	}
	return base.value.id, base.found, nil
}

// Poet implements atx.Reader.
func (v *View) Poet(ref wire.PoetProofRef) (atx.PoetProof, bool, error) {
	p, err := lookup(v, v.rows.poets, ref, func(w *wanted) { w.poets = []wire.PoetProofRef{ref} })
	return p.value, p.found, err
}

// Malicious implements atx.Reader.
func (v *View) Malicious(node wire.NodeID) (bool, error) {
	if _, ok := v.added.malicious[node]; ok {
		return true, nil
	}
	if _, ok := v.rows.malicious[node]; !ok {
		if err := v.fetch(&wanted{malicious: []wire.NodeID{node}}); err != nil {
			return false, err
		}
	}
	return v.rows.malicious[node], nil
}

// Marriage implements atx.MarriageReader.
func (v *View) Marriage(node wire.NodeID) (atx.Marriage, bool, error) {
	m, err := lookup(v, v.rows.marriages, node, func(w *wanted) { w.marriages = []wire.NodeID{node} })
	return m.value, m.found, err
}

// MarriageSet implements atx.MarriageReader.
func (v *View) MarriageSet(id atx.MarriageID) ([]wire.NodeID, error) {
	if _, ok := v.rows.sets[id]; !ok {
		if err := v.fetch(&wanted{sets: []atx.MarriageID{id}}); err != nil {
			return nil, err
		}
	}
	return v.rows.sets[id], nil
}

// LastMarriageID implements atx.MarriageReader.
func (v *View) LastMarriageID() (atx.MarriageID, error) {
	if !v.rows.lastSet.found {
		if err := v.fetch(&wanted{lastSet: true}); err != nil {
			return 0, err
		}
	}
	return v.rows.lastSet.value, nil
}

// MaliciousMarried implements atx.MarriageReader.
func (v *View) MaliciousMarried(node wire.NodeID) (bool, error) {
	if _, ok := v.rows.married[node]; !ok {
		if err := v.fetch(&wanted{married: []wire.NodeID{node}}); err != nil {
			return false, err
		}
	}
	return v.rows.married[node], nil
}

// lookup returns what was read under a key, and reads it if that was not done.
func lookup[K comparable, T any](v *View, in map[K]known[T], key K, want func(*wanted)) (known[T], error) {
	if k, ok := in[key]; ok {
		return k, nil
	}
	var w wanted
	want(&w)
	err := v.fetch(&w)
	return in[key], err
}
