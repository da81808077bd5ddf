package intake

import (
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// wanted lists keys whose rows are to be read.
type wanted struct {
	atxs, units, blobs   []wire.ATXID
	commitments          []wire.NodeID
	malicious, married   []wire.NodeID
	marriages, nodes     []wire.NodeID
	poets                []wire.PoetProofRef
	signed, posted, last []db.NodeEpoch
	on                   []db.NodeATX
	merged               []db.ATXEpoch
	sets                 []atx.MarriageID
	lastSet              bool
}

// fetch reads what is wanted into the view. Keys without rows are known to have
// none from then on. The first fetch decides what the view's heads are.
func (v *View) fetch(w *wanted) error {
	r, l := v.rows, db.NewLoader()
	absent(r.atxs, w.atxs)
	l.ATXs(w.atxs, func(row *atx.Row) { r.atxs[row.ID] = row })
	for _, id := range w.units {
		r.units[id] = nil
	}
	l.Units(w.units, func(k db.NodeATX, units uint32) {
		if r.units[k.ATX] == nil {
			r.units[k.ATX] = make(map[wire.NodeID]uint32, 1)
		}
		r.units[k.ATX][k.Node] = units
	})
	absent(r.blobs, w.blobs)
	l.Blobs(w.blobs, func(id wire.ATXID, blob []byte) { r.blobs[id] = known[[]byte]{blob, true} })
	absent(r.commitments, w.commitments)
	l.Commitments(w.commitments, func(n wire.NodeID, publish wire.EpochID, id wire.ATXID) {
		r.commitments[n] = known[older]{older{id, publish}, true}
	})
	absent(r.malicious, w.malicious)
	l.Malicious(w.malicious, func(n wire.NodeID) { r.malicious[n] = true })
	absent(r.poets, w.poets)
	l.Poets(w.poets, func(ref wire.PoetProofRef, p atx.PoetProof) { r.poets[ref] = known[atx.PoetProof]{p, true} })
	absent(r.signed, w.signed)
	l.Signed(w.signed, func(k db.NodeEpoch, id wire.ATXID) { r.signed[k] = known[wire.ATXID]{id, true} })
	absent(r.last, w.last)
	l.Last(w.last, func(k db.NodeEpoch, publish wire.EpochID, id wire.ATXID) {
		r.last[k] = known[older]{older{id, publish}, true}
	})
	absent(r.nodes, w.nodes)
	l.Known(w.nodes, func(n wire.NodeID) { r.nodes[n] = true })
	v.askMarriages(l, w)
	heads, err := l.Run(v.ctx, v.db)
	if err != nil {
		v.failed = err // keys look absent that may not be
		return err
	}
	if !v.loaded {
		v.heads, v.loaded = heads, true
	}
	return nil
}

func (v *View) askMarriages(l *db.Loader, w *wanted) {
	r := v.rows
	absent(r.married, w.married)
	l.MaliciousMarried(w.married, func(n wire.NodeID) { r.married[n] = true })
	absent(r.posted, w.posted)
	l.Posted(w.posted, func(k db.NodeEpoch, id wire.ATXID) { r.posted[k] = known[wire.ATXID]{id, true} })
	absent(r.on, w.on)
	l.On(w.on, func(k db.NodeATX, id wire.ATXID) { r.on[k] = known[wire.ATXID]{id, true} })
	absent(r.merged, w.merged)
	l.Merged(w.merged, func(k db.ATXEpoch, id wire.ATXID) { r.merged[k] = known[wire.ATXID]{id, true} })
	absent(r.marriages, w.marriages)
	l.Marriages(w.marriages, func(m atx.Marriage) { r.marriages[m.NodeID] = known[atx.Marriage]{m, true} })
	absent(r.sets, w.sets)
	l.MarriageSets(w.sets, func(id atx.MarriageID, n wire.NodeID) { r.sets[id] = append(r.sets[id], n) })
	if w.lastSet {
		l.LastMarriage(func(id atx.MarriageID) { r.lastSet = known[atx.MarriageID]{id, true} })
	}
}

// absent notes that keys are being asked for.
func absent[K comparable, T any](in map[K]T, keys []K) {
	var none T
	for _, k := range keys {
		in[k] = none
	}
}
