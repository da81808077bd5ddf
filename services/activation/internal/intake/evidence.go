package intake

import (
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// SignedIn implements atx.Evidence.
func (v *View) SignedIn(node wire.NodeID, publish wire.EpochID) (wire.ATXID, bool, error) {
	key := db.NodeEpoch{Node: node, Epoch: publish}
	base, err := lookup(v, v.rows.signed, key, func(w *wanted) { w.signed = []db.NodeEpoch{key} })
	if err != nil || base.found {
		return base.value, base.found, err
	}
	for _, a := range v.added.signers[node] {
		if a.Row.PublishEpoch == publish {
			return a.Row.ID, true, nil
		}
	}
	return wire.ATXID{}, false, nil
}

// PostIn implements atx.Evidence.
func (v *View) PostIn(node wire.NodeID, publish wire.EpochID) (wire.ATXID, bool, error) {
	key := db.NodeEpoch{Node: node, Epoch: publish}
	base, err := lookup(v, v.rows.posted, key, func(w *wanted) { w.posted = []db.NodeEpoch{key} })
	if err != nil || base.found {
		return base.value, base.found, err
	}
	for _, p := range v.added.posts[node] {
		if p.publish == publish {
			return p.id, true, nil
		}
	}
	return wire.ATXID{}, false, nil
}

// LastPost implements atx.Evidence.
func (v *View) LastPost(node wire.NodeID, before wire.EpochID) (wire.ATXID, bool, error) {
	key := db.NodeEpoch{Node: node, Epoch: before}
	newest, err := lookup(v, v.rows.last, key, func(w *wanted) { w.last = []db.NodeEpoch{key} })
	if err != nil {
		return wire.ATXID{}, false, err
	}
	for _, p := range v.added.posts[node] {
		if p.publish < before && (!newest.found || p.publish > newest.value.publish) {
			newest = known[older]{p.older, true}
		}
	}
	return newest.value.id, newest.found, nil
}

// PostOn implements atx.Evidence.
func (v *View) PostOn(node wire.NodeID, previous wire.ATXID) (wire.ATXID, bool, error) {
	key := db.NodeATX{Node: node, ATX: previous}
	base, err := lookup(v, v.rows.on, key, func(w *wanted) { w.on = []db.NodeATX{key} })
	if err != nil || base.found {
		return base.value, base.found, err
	}
	for _, p := range v.added.posts[node] {
		if p.previous == previous {
			return p.id, true, nil
		}
	}
	return wire.ATXID{}, false, nil
}

// MergedIn implements atx.Evidence.
func (v *View) MergedIn(marriage wire.ATXID, publish wire.EpochID) (wire.ATXID, bool, error) {
	key := db.ATXEpoch{ATX: marriage, Epoch: publish}
	base, err := lookup(v, v.rows.merged, key, func(w *wanted) { w.merged = []db.ATXEpoch{key} })
	if err != nil || base.found {
		return base.value, base.found, err
	}
	id, ok := v.added.merged[key]
	return id, ok, nil
}

// Blob implements atx.Evidence.
func (v *View) Blob(id wire.ATXID) ([]byte, bool, error) {
	if added, ok := v.added.atxs[id]; ok {
		return added.Blob, true, nil
	}
	b, err := lookup(v, v.rows.blobs, id, func(w *wanted) { w.blobs = []wire.ATXID{id} })
	return b.value, b.found, err
}

// Own implements atx.Evidence.
func (v *View) Own(node wire.NodeID) bool { return v.own(node) }
