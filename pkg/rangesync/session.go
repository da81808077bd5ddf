package rangesync

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// Params are a session's numbers (spec 08 §10.4).
type Params struct {
	MaxSendRange int // ranges of at most so many keys are sent instead of halved
	ItemChunk    int // keys in one batch
	SampleSize   int // at most MaxSample
	// MaxDiff is the share of differing samples above which everything is sent;
	// negative switches sampling off.
	MaxDiff float64
	// RecentSpan makes the initiator send its newest keys first; 0 is off.
	RecentSpan time.Duration
}

// DefaultParams are those of spec 08 §10.4.
func DefaultParams() Params {
	return Params{MaxSendRange: 16, ItemChunk: 1024, SampleSize: 200, MaxDiff: -1}
}

// Errors of a session: the peer broke the protocol.
var (
	ErrUnexpected = errors.New("unexpected message")
	ErrFinished   = errors.New("session is finished")
)

// Session is one side of a reconciliation. It is not safe for concurrent use.
type Session struct {
	params Params
	set    Set

	received map[Key]struct{} // by the batches before the next range message
	open     bool             // the peer's turn left something to find out
	finished bool
	out      []Message
}

// NewSession starts a side; the set must not change but through it.
func NewSession(params Params, set Set) *Session {
	params.SampleSize = min(params.SampleSize, MaxSample)
	params.ItemChunk = max(params.ItemChunk, 1)
	return &Session{params: params, set: set, received: map[Key]struct{}{}}
}

// Finished tells whether the sides are done with each other.
func (s *Session) Finished() bool { return s.finished }

// Initiate is the first turn, over the whole set.
func (s *Session) Initiate(now time.Time) []Message {
	s.initiate(now, s.params.RecentSpan)
	s.emit(Message{Type: EndRound})
	return s.take()
}

// Receive takes a message of the peer and returns what to write. An error means
// that the peer broke the protocol; the stream is then of no further use.
func (s *Session) Receive(now time.Time, m Message) ([]Message, error) {
	if s.finished {
		return nil, ErrFinished
	}
	switch m.Type {
	case Done:
		s.finished = true
		return nil, nil
	case EndRound:
		return s.endRound(), nil
	case ItemBatch:
		s.set.Add(now, m.Keys)
		for _, k := range m.Keys {
			s.received[k] = struct{}{}
		}
		return nil, nil
	}
	err := s.handle(now, m)
	clear(s.received)
	return s.take(), err
}

// endRound gives the turn back, or ends the session if the peer's turn left
// nothing to find out.
func (s *Session) endRound() []Message {
	if s.open {
		s.emit(Message{Type: EndRound})
	} else {
		s.finished = true
		s.emit(Message{Type: Done})
	}
	s.open = false
	clear(s.received)
	return s.take()
}

// handle answers a message about a range.
func (s *Session) handle(now time.Time, m Message) error {
	if m.Type == Recent {
		s.open = true
		since := time.Unix(0, int64(min(m.Since, 1<<63-1)))
		s.sendItems(s.unreceived(s.set.Since(since)))
		s.initiate(now, 0)
		return nil
	}
	if (m.X == nil) != (m.Y == nil) {
		return fmt.Errorf("%w: range with one end", ErrUnexpected)
	}
	x, y, ok := s.bounds(m)
	if !ok {
		if m.Type == Probe {
			s.emit(Message{Type: Sample})
		}
		return nil
	}
	own := s.set.Range(x, y)
	switch m.Type {
	case EmptySet, EmptyRange, RangeContents:
		if own.Count > 0 {
			s.open = true
			s.sendItems(s.unreceived(s.items(x, own.Count)))
		}
	case RangeFingerprint, Sample:
		s.compare(m, x, y, own)
	case Probe:
		s.answerProbe(m, x, y, own)
	default:
		return fmt.Errorf("%w: %s", ErrUnexpected, m.Type)
	}
	return nil
}

// bounds are the ends of the message's range; ok is false if it means the whole
// set and that is empty.
func (s *Session) bounds(m Message) (x, y Key, ok bool) {
	if m.X != nil && m.Y != nil {
		return *m.X, *m.Y, true
	}
	first, ok := s.set.First()
	return first, first, ok
}

// initiate opens a comparison of the whole set.
func (s *Session) initiate(now time.Time, recent time.Duration) {
	x, ok := s.set.First()
	if !ok {
		s.emit(Message{Type: EmptySet})
		return
	}
	own := s.set.Range(x, x)
	switch {
	case own.Count < s.params.MaxSendRange:
		s.sendRange(x, x, own.Count)
	case recent > 0:
		since := now.Add(-recent)
		s.sendItems(s.set.Since(since))
		s.emit(Message{Type: Recent, Since: uint64(max(since.UnixNano(), 0))})
	case s.params.MaxDiff >= 0:
		s.emit(s.sampleMessage(x, x, own))
	default:
		s.sendFingerprint(x, x, own)
	}
}

// compare answers the peer's fingerprint of a range.
func (s *Session) compare(m Message, x, y Key, own Info) {
	if own.Fingerprint == m.Fingerprint {
		return
	}
	s.open = true
	switch {
	case m.Type == Sample && s.params.MaxDiff >= 0 &&
		1-similarity(s.sample(x, own.Count), m.Sample) > s.params.MaxDiff:
		s.sendRange(x, y, own.Count)
	case own.Count > s.params.MaxSendRange:
		middle := s.set.At(x, own.Count/2)
		s.sendHalf(x, middle)
		s.sendHalf(middle, y)
	case own.Count == 0:
		s.emit(Message{Type: EmptyRange, X: &x, Y: &y})
	default:
		s.sendRange(x, y, own.Count)
	}
}

// sendHalf announces an empty half twice, as upstream does.
func (s *Session) sendHalf(x, y Key) {
	own := s.set.Range(x, y)
	if own.Count == 0 {
		s.emit(Message{Type: EmptyRange, X: &x, Y: &y})
	}
	s.sendFingerprint(x, y, own)
}

func (s *Session) sendFingerprint(x, y Key, own Info) {
	s.emit(Message{Type: RangeFingerprint, X: &x, Y: &y, Fingerprint: own.Fingerprint, Count: uint32(own.Count)})
}

func (s *Session) sendRange(x, y Key, count int) {
	s.sendItems(s.items(x, count))
	s.emit(Message{Type: RangeContents, X: &x, Y: &y, Count: uint32(count)})
}

func (s *Session) sendItems(keys iter.Seq[Key]) {
	var batch []Key
	for k := range keys {
		if batch = append(batch, k); len(batch) == s.params.ItemChunk {
			s.emit(Message{Type: ItemBatch, Keys: batch})
			batch = nil
		}
	}
	if len(batch) > 0 {
		s.emit(Message{Type: ItemBatch, Keys: batch})
	}
}

// items are n keys from x on.
func (s *Session) items(x Key, n int) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		left := n
		for k := range s.set.From(x) {
			if left--; left < 0 || !yield(k) {
				return
			}
		}
	}
}

func (s *Session) unreceived(keys iter.Seq[Key]) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for k := range keys {
			if _, known := s.received[k]; !known && !yield(k) {
				return
			}
		}
	}
}

func (s *Session) emit(m Message) { s.out = append(s.out, m) }

func (s *Session) take() []Message {
	out := s.out
	s.out = nil
	return out
}
