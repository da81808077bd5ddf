package hare

import (
	"errors"
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	// maxWaiting and maxWaitingPerPeer bound the messages that wait for a fetch.
	maxWaiting        = 256
	maxWaitingPerPeer = 16
	// maxResponse is the length that a client refuses (spec 05 §10.5).
	maxResponse = 1_000_000
)

// Ticket names a message that waits for a fetch.
type Ticket uint64

// waiting are the messages whose full list was asked for.
type waiting struct {
	last    Ticket
	pending map[Ticket]incoming
	perPeer map[Peer]int
}

func (w *waiting) add(in incoming) (Ticket, bool) {
	if len(w.pending) >= maxWaiting || w.perPeer[in.peer] >= maxWaitingPerPeer {
		return 0, false
	}
	if w.pending == nil {
		w.pending, w.perPeer = make(map[Ticket]incoming), make(map[Peer]int)
	}
	w.last++
	w.pending[w.last] = in
	w.perPeer[in.peer]++
	return w.last, true
}

func (w *waiting) take(t Ticket) (incoming, bool) {
	in, ok := w.pending[t]
	if !ok {
		return in, false
	}
	delete(w.pending, t)
	if w.perPeer[in.peer]--; w.perPeer[in.peer] == 0 {
		delete(w.perPeer, in.peer)
	}
	return in, true
}

// fetch asks the delivering peer for the full list.
func (h *Hare) fetch(in incoming) Step {
	if in.own {
		return refuse(broken(FetchFull, "own message"))
	}
	ticket, ok := h.waiting.add(in)
	if !ok {
		return refuse(broken(FetchFull, "too many messages wait"))
	}
	return Step{
		Verdict: Pending,
		Ticket:  ticket,
		Effects: []Effect{Fetch{Ticket: ticket, Peer: in.peer, Request: in.id}},
	}
}

// Fetched answers Fetch with the response, or with why there is none, and gives
// the message's verdict. An unknown ticket is ignored.
func (h *Hare) Fetched(t Ticket, response []byte, failure error) Step {
	in, ok := h.waiting.take(t)
	if !ok {
		return refuse(broken(FetchFull, "unknown ticket %d", t))
	}
	if failure != nil {
		return refuse(broken(FetchFull, "%v", failure))
	}
	full, err := DecodeResponse(response)
	if err != nil {
		return refuse(broken(FetchFull, "%v", err))
	}
	switch {
	case !in.recovered:
		slices.SortFunc(full, wire.Compare20[wire.ProposalID])
	case len(full) != in.compact:
		return refuse(broken(ProposalsMismatch, "%d for %d", len(full), in.compact))
	}
	in = in.with(full)
	in.exchanged = true
	if h.session(in.message.Body.Layer) == nil {
		return refuse(broken(NotRegistered, "layer %d", in.message.Body.Layer))
	}
	return h.verify(in)
}

// Errors of a full exchange's client.
var (
	ErrResponseTooLong = errors.New("response is too long")
	ErrResponseLength  = errors.New("response does not have its declared length")
)

// DecodeResponse reads a full exchange's answer: its length, then the list
// (spec 05 §10.5).
func DecodeResponse(raw []byte) ([]wire.ProposalID, error) {
	var declared uint32
	n, err := codec.DecodeSlice(raw, func(c *codec.Coder) { c.Compact32(&declared) })
	if err != nil {
		return nil, err
	}
	if declared >= maxResponse {
		return nil, ErrResponseTooLong
	}
	if uint32(len(raw)-n) < declared {
		return nil, ErrResponseLength
	}
	var response wire.CompactIdResponse
	used, err := codec.DecodePrefix(raw[n:][:declared], &response)
	if err != nil {
		return nil, err
	}
	if uint32(used) != declared {
		return nil, ErrResponseLength
	}
	return response.Ids, nil
}
