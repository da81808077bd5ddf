package fetch

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/peer"
	"github.com/smeshery/smeshery/pkg/wire"
)

// QueueParams are the numbers of spec 08 §6.4.
type QueueParams struct {
	Size       int // waiting requests that are sent without waiting for the timer
	BatchSize  int
	MaxRetries int
}

// DefaultQueueParams are upstream's. The timer that calls Flush has 50 ms.
func DefaultQueueParams() QueueParams { return QueueParams{20, 10, 100} }

// want is a hash that somebody waits for.
type want struct {
	hash    wire.Hash32
	hint    wire.Hint
	retries int
}

// Queue collects hashes to ask for. Whoever waits for a hash is told by the
// caller when the queue says that it is done. It is not safe for concurrent use.
type Queue struct {
	params  QueueParams
	waiting []*want // in order of arrival
	known   map[wire.Hash32]*want
}

// NewQueue is empty.
func NewQueue(params QueueParams) *Queue {
	return &Queue{params: params, known: map[wire.Hash32]*want{}}
}

// Add asks for a hash that is not stored. A hash that is asked for already keeps
// its first hint. flush tells that Flush is due at once.
func (q *Queue) Add(hash wire.Hash32, hint wire.Hint) (flush bool) {
	if q.known[hash] == nil {
		w := &want{hash: hash, hint: hint}
		q.known[hash] = w
		q.waiting = append(q.waiting, w)
	}
	return len(q.waiting) >= q.params.Size
}

// Len is how many hashes are waited for.
func (q *Queue) Len() int { return len(q.known) }

// Batch is a request to send to a peer, over the first of the protocols that the
// peer speaks.
type Batch struct {
	Peer      peer.ID
	Protocols []string
	Request   wire.RequestBatch
}

// Flush turns all waiting hashes into batches. Hashes without a target have
// failed for want of peers.
func (q *Queue) Flush(target func(wire.Hash32) (peer.ID, bool)) (batches []Batch, failed []wire.Hash32) {
	open := map[peer.ID]int{} // index of the batch that still has room
	for _, w := range q.waiting {
		id, ok := target(w.hash)
		if !ok {
			failed = append(failed, w.hash)
			delete(q.known, w.hash)
			continue
		}
		message := wire.RequestMessage{Hint: w.hint, Hash: w.hash}
		if w.hint == wire.HintActiveSet {
			batches = append(batches, Batch{id, []string{ActiveSet, ByHash}, wire.RequestBatch{
				Requests: []wire.RequestMessage{message},
			}})
			continue
		}
		at, ok := open[id]
		if !ok || len(batches[at].Request.Requests) == q.params.BatchSize {
			at = len(batches)
			open[id] = at
			batches = append(batches, Batch{Peer: id, Protocols: []string{ByHash}})
		}
		r := &batches[at].Request
		r.Requests = append(r.Requests, message)
	}
	q.waiting = nil
	for i := range batches {
		batches[i].Request.ID = batches[i].Request.BatchID()
	}
	return batches, failed
}

// Delivery is an object for its validator, which must be followed by Finish.
type Delivery struct {
	Hash wire.Hash32
	Hint wire.Hint
	Data []byte
}

// Received is what an answer means for the hashes of its batch.
type Received struct {
	Deliver  []Delivery
	Done     []wire.Hash32 // stored meanwhile
	Requeued []wire.Hash32 // go out again with the next Flush
	Failed   []wire.Hash32 // with ErrMaxRetries
}

// Receive takes the answer to a batch. stored tells whether a hash that was left
// out is there meanwhile.
func (q *Queue) Receive(batch *Batch, items []wire.ResponseMessage, stored func(wire.Hash32) bool) (r Received) {
	for _, m := range batch.Request.Requests {
		w := q.known[m.Hash]
		if w == nil {
			continue
		}
		at := slices.IndexFunc(items, func(i wire.ResponseMessage) bool { return i.Hash == m.Hash })
		switch {
		case at >= 0:
			r.Deliver = append(r.Deliver, Delivery{w.hash, w.hint, items[at].Data})
			continue
		case stored(m.Hash):
			r.Done = append(r.Done, m.Hash)
			delete(q.known, m.Hash)
			continue
		}
		if w.retries++; w.retries > q.params.MaxRetries {
			r.Failed = append(r.Failed, m.Hash)
			delete(q.known, m.Hash)
			continue
		}
		r.Requeued = append(r.Requeued, m.Hash)
		q.waiting = append(q.waiting, w)
	}
	return r
}

// Fail gives up all hashes of a batch that was not answered, without a retry.
func (q *Queue) Fail(batch *Batch) (failed []wire.Hash32) {
	for _, m := range batch.Request.Requests {
		if q.known[m.Hash] != nil {
			failed = append(failed, m.Hash)
			delete(q.known, m.Hash)
		}
	}
	return failed
}

// Finish forgets a hash whose object was validated, well or not.
func (q *Queue) Finish(hash wire.Hash32) { delete(q.known, hash) }
