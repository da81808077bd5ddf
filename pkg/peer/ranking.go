package peer

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// RedundantPeers is how many peers are asked the same (spec 08 §7.3).
const RedundantPeers = 5

// record is what requests to a peer have shown; durations are in nanoseconds.
type record struct {
	successes, failures int
	latency             float64
}

// Ranking orders connected peers by how they have answered (spec 08 §7.3). It is
// not safe for concurrent use.
type Ranking struct {
	peers   map[ID]*record
	latency float64
}

// NewRanking knows no peers.
func NewRanking() *Ranking { return &Ranking{peers: map[ID]*record{}} }

// Connect adds a peer with its first unlimited connection.
func (r *Ranking) Connect(id ID) {
	if r.peers[id] == nil {
		r.peers[id] = &record{}
	}
}

// Disconnect forgets a peer that has closed its last one.
func (r *Ranking) Disconnect(id ID) { delete(r.peers, id) }

// Len is the number of peers.
func (r *Ranking) Len() int { return len(r.peers) }

// Requested counts a request: how long it took, how large the response was, and
// whether it failed.
func (r *Ranking) Requested(id ID, took time.Duration, size int, ok bool) {
	p := r.peers[id]
	if p == nil {
		return
	}
	if ok {
		p.successes++
	} else {
		p.failures++
	}
	scaled := float64(took / time.Duration(max(size/1024, 1)))
	p.latency = average(p.latency, scaled, 10)
	r.latency = average(r.latency, scaled, 25)
}

// average is a moving mean that starts at its first value.
func average(mean, value, window float64) float64 {
	if mean == 0 {
		return value
	}
	return mean + (value-mean)/window
}

// cost is low for good peers; new ones are tried early.
func (r *Ranking) cost(p *record) float64 {
	total := p.successes + p.failures
	if total == 0 {
		return 0.9 * r.latency
	}
	return p.latency + float64(p.failures)/float64(total)*r.latency
}

// Order lists all peers, the best first.
func (r *Ranking) Order() []ID { return r.sorted(slices.Collect(maps.Keys(r.peers))) }

func (r *Ranking) sorted(ids []ID) []ID {
	slices.SortFunc(ids, func(a, b ID) int {
		return cmp.Or(cmp.Compare(r.cost(r.peers[a]), r.cost(r.peers[b])), cmp.Compare(a, b))
	})
	return ids
}

// Best lists at most n peers, the best first.
func (r *Ranking) Best(n int) []ID {
	order := r.Order()
	return order[:min(n, len(order))]
}

// BestOf is the best connected peer of some; ok is false if none is connected.
func (r *Ranking) BestOf(ids []ID) (best ID, ok bool) {
	for _, id := range ids {
		p := r.peers[id]
		if p == nil {
			continue
		}
		if !ok || cmp.Or(cmp.Compare(r.cost(p), r.cost(r.peers[best])), cmp.Compare(id, best)) < 0 {
			best, ok = id, true
		}
	}
	return best, ok
}

// Target picks whom to ask for a hash: the best connected holder, else one of the
// best peers, chosen by random, which is uniform and known to nobody else.
func (r *Ranking) Target(holders []ID, random uint64) (ID, bool) {
	if id, ok := r.BestOf(holders); ok {
		return id, true
	}
	best := r.Best(RedundantPeers)
	if len(best) == 0 {
		return "", false
	}
	return best[random%uint64(len(best))], true
}
