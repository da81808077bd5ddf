package catchup

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/peer"
	"github.com/smeshery/smeshery/pkg/peer/fetch"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Why a search ends without a fork.
var (
	ErrPeerChanged = errors.New("peer changed its hashes")
	ErrNodeChanged = errors.New("node changed its hashes")
	ErrHashCount   = errors.New("peer sent another number of hashes")
	ErrNoHash      = errors.New("node has no hash for the layer")
	ErrNoLayers    = errors.New("no layers to search between")
)

// Hashes are the node's own aggregated hashes.
type Hashes interface {
	Hash(layer wire.LayerID) (wire.Hash32, bool)
}

// agreement is the last layer on which a peer and the node were seen to agree.
type agreement struct {
	layer wire.LayerID
	hash  wire.Hash32
	at    time.Time
}

// dispute is a view that was imported already.
type dispute struct {
	layer wire.LayerID
	hash  wire.Hash32
}

// ForkFinder remembers agreements and disputes (spec 08 §9). It is not safe for
// concurrent use.
type ForkFinder struct {
	effectiveGenesis wire.LayerID
	agreements       map[peer.ID]agreement
	resynced         map[dispute]time.Time
}

// NewForkFinder remembers nothing.
func NewForkFinder(effectiveGenesis wire.LayerID) *ForkFinder {
	return &ForkFinder{effectiveGenesis, map[peer.ID]agreement{}, map[dispute]time.Time{}}
}

// Agree remembers that the node and a peer have the same hash at a layer.
func (f *ForkFinder) Agree(now time.Time, id peer.ID, layer wire.LayerID, hash wire.Hash32) {
	f.agreements[id] = agreement{layer, hash, now}
}

// Agreements is how many are remembered.
func (f *ForkFinder) Agreements() int { return len(f.agreements) }

// ForgetAgreements drops all of them.
func (f *ForkFinder) ForgetAgreements() { clear(f.agreements) }

// Opinion is the aggregated hash that a peer has for the layer before one.
type Opinion struct {
	Peer peer.ID
	Hash wire.Hash32 // zero if the peer does not know
}

// Disputed tells whether any opinion differs from the node's own hash.
func Disputed(own wire.Hash32, opinions []Opinion) bool {
	return slices.ContainsFunc(opinions, func(o Opinion) bool { return !wire.IsZero(o.Hash) && o.Hash != own })
}

// Worth tells whether an opinion on a layer's hash is worth a search. It
// remembers an agreement. used holds the peers of this state run that were
// resynced from already.
func (f *ForkFinder) Worth(
	now time.Time, layer wire.LayerID, own wire.Hash32, o Opinion, used map[peer.ID]struct{},
) bool {
	if _, asked := used[o.Peer]; asked || wire.IsZero(o.Hash) {
		return false
	}
	if o.Hash == own {
		f.Agree(now, o.Peer, layer, own)
		return false
	}
	_, known := f.resynced[dispute{layer, o.Hash}]
	return !known
}

// Resynced remembers that the data behind a hash was imported.
func (f *ForkFinder) Resynced(now time.Time, layer wire.LayerID, hash wire.Hash32) {
	f.resynced[dispute{layer, hash}] = now
}

// Purge drops what was remembered before an instant. Agreements with the peers in
// use stay.
func (f *ForkFinder) Purge(before time.Time, inUse []peer.ID) {
	maps.DeleteFunc(f.agreements, func(id peer.ID, a agreement) bool {
		return a.at.Before(before) && !slices.Contains(inUse, id)
	})
	maps.DeleteFunc(f.resynced, func(_ dispute, at time.Time) bool { return at.Before(before) })
}

// Search looks for the fork with one peer below one disputed layer.
type Search struct {
	finder   *ForkFinder
	peer     peer.ID
	own      Hashes
	from, to point
	request  wire.MeshHashRequest
	done     bool
	fork     wire.LayerID
	err      error
}

type point struct {
	layer wire.LayerID
	hash  wire.Hash32
}

// Search starts at the last agreement with the peer, or at genesis. hash is the
// peer's at the layer. Requests that Next names are to be answered through Answer.
func (f *ForkFinder) Search(id peer.ID, layer wire.LayerID, hash wire.Hash32, own Hashes) *Search {
	s := &Search{finder: f, peer: id, own: own, to: point{layer, hash}}
	s.narrow(s.to)
	return s
}

// Next is the request to send; ok is false when the search has ended.
func (s *Search) Next() (request wire.MeshHashRequest, ok bool) { return s.request, !s.done }

// Fork is the last layer in common. The error is one of this package, or the one
// given to Fail.
func (s *Search) Fork() (wire.LayerID, error) { return s.fork, s.err }

// Fail ends the search because the request failed.
func (s *Search) Fail(err error) { s.end(0, err) }

func (s *Search) end(fork wire.LayerID, err error) { s.done, s.fork, s.err = true, fork, err }

// narrow searches below a point where the peer is known to differ.
func (s *Search) narrow(to point) {
	from, ok := s.start(to.layer)
	switch {
	case !ok:
		s.end(0, fmt.Errorf("%w %s", ErrNoHash, s.finder.effectiveGenesis))
	case to.layer <= from.layer:
		s.end(0, fmt.Errorf("%w: from %s to %s", ErrNoLayers, from.layer, to.layer))
	case from.layer+1 == to.layer:
		s.end(from.layer, nil)
	default:
		s.from, s.to = from, to
		s.request = fetch.NewMeshHashRequest(from.layer, to.layer)
	}
}

// start is the layer to search from: the agreement with the peer if it lies below
// and the node still has that hash, else genesis.
func (s *Search) start(below wire.LayerID) (point, bool) {
	if a, ok := s.finder.agreements[s.peer]; ok {
		if own, known := s.own.Hash(a.layer); a.layer < below && known && own == a.hash {
			return point{a.layer, a.hash}, true
		}
		delete(s.finder.agreements, s.peer)
	}
	genesis := s.finder.effectiveGenesis
	hash, ok := s.own.Hash(genesis)
	return point{genesis, hash}, ok
}

// Answer takes the peer's hashes for the layers of the request.
func (s *Search) Answer(now time.Time, hashes []wire.Hash32) {
	if s.done {
		return
	}
	layers, err := fetch.MeshHashLayers(s.request)
	if err != nil {
		s.Fail(err)
		return
	}
	if len(hashes) != len(layers) {
		s.Fail(fmt.Errorf("%w: %d, not %d", ErrHashCount, len(hashes), len(layers)))
		return
	}
	if hashes[0] != s.from.hash || hashes[len(hashes)-1] != s.to.hash {
		delete(s.finder.agreements, s.peer)
		s.Fail(ErrPeerChanged)
		return
	}
	own := make([]wire.Hash32, len(layers))
	for i, layer := range layers {
		hash, ok := s.own.Hash(layer)
		if !ok {
			s.Fail(fmt.Errorf("%w %s", ErrNoHash, layer))
			return
		}
		own[i] = hash
	}
	s.compare(now, layers, own, hashes)
}

// compare finds the first difference. It lies behind an agreement, and ends the
// search if it lies right behind.
func (s *Search) compare(now time.Time, layers []wire.LayerID, own, theirs []wire.Hash32) {
	diff := -1
	for i := range layers {
		if own[i] != theirs[i] {
			diff = i
			break
		}
		s.finder.Agree(now, s.peer, layers[i], own[i])
	}
	switch {
	case diff <= 0:
		s.finder.ForgetAgreements()
		s.Fail(ErrNodeChanged)
	case layers[diff] == layers[diff-1]+1:
		s.end(layers[diff-1], nil)
	default:
		s.narrow(point{layers[diff], theirs[diff]})
	}
}
