package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	// maxUnproven bounds remembered messages whose seats were not checked; the
	// oldest give way.
	maxUnproven = 256
	// maxServedPerSender bounds a sender's messages of a layer.
	maxServedPerSender = 4
)

// serving remembers full lists by the id of the compact message (spec 05
// §10.4). Messages are remembered before their seats are checked, which anybody
// can have signed, so those have a bound of their own.
type serving struct {
	proven   map[wire.Hash32]served
	unproven []served // oldest first
	senders  map[layerSender]int
}

type served struct {
	id    wire.Hash32
	layer wire.LayerID
	list  []wire.ProposalID
}

type layerSender struct {
	layer wire.LayerID
	node  wire.NodeID
}

func (s *serving) remember(id wire.Hash32, m *wire.HareMessage, proven bool) {
	if _, ok := s.proven[id]; ok {
		return
	}
	entry := served{id, m.Body.Layer, m.Body.Value.Proposals}
	if !proven {
		s.hold(entry)
		return
	}
	s.forget(id)
	if s.proven == nil {
		s.proven, s.senders = make(map[wire.Hash32]served), make(map[layerSender]int)
	}
	sender := layerSender{m.Body.Layer, m.Sender}
	if s.senders[sender] >= maxServedPerSender {
		return
	}
	s.senders[sender]++
	s.proven[id] = entry
}

func (s *serving) hold(entry served) {
	s.forget(entry.id)
	if len(s.unproven) == maxUnproven {
		s.unproven = slices.Delete(s.unproven, 0, 1)
	}
	s.unproven = append(s.unproven, entry)
}

func (s *serving) forget(id wire.Hash32) {
	s.unproven = slices.DeleteFunc(s.unproven, func(e served) bool { return e.id == id })
}

func (s *serving) find(id wire.Hash32) (served, bool) {
	if e, ok := s.proven[id]; ok {
		return e, true
	}
	for _, e := range s.unproven {
		if e.id == id {
			return e, true
		}
	}
	return served{}, false
}

// drop forgets what is older than the layer before the current one.
func (s *serving) drop(current wire.LayerID) {
	old := func(l wire.LayerID) bool { return l+1 < current }
	for id, e := range s.proven {
		if old(e.layer) {
			delete(s.proven, id)
		}
	}
	for sender := range s.senders {
		if old(sender.layer) {
			delete(s.senders, sender)
		}
	}
	s.unproven = slices.DeleteFunc(s.unproven, func(e served) bool { return old(e.layer) })
}

// Serve answers a full exchange's request: the length and the list. It is false
// where the stream is to be closed without an answer: for unknown messages, and
// for lists longer than an answer may be (spec 05 §10.5, §21).
func (h *Hare) Serve(request []byte) ([]byte, bool) {
	var r wire.CompactIdRequest
	if codec.Decode(request, &r) != nil {
		return nil, false
	}
	entry, ok := h.serving.find(r.MsgId)
	if !ok || len(entry.list) > wire.MaxCompactResponse {
		return nil, false
	}
	list := codec.MustEncode(&wire.CompactIdResponse{Ids: entry.list})
	return append(codec.AppendCompact(nil, uint64(len(list))), list...), true
}
