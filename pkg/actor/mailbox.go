package actor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What Put and Take answer when a mailbox cannot do what they ask.
var (
	// ErrFull says that the mailbox refuses because it has no room.
	ErrFull = errors.New("mailbox is full")
	// ErrClosed says that nothing enters or, from Take, that nothing is left.
	ErrClosed = errors.New("mailbox is closed")
)

// Overflow is what a full mailbox does with one more message.
type Overflow uint8

// The zero Overflow is not a policy: whoever makes a mailbox must choose.
const (
	// Block makes the sender wait for room or for its context.
	Block Overflow = iota + 1
	// DropOldest evicts the message that waited longest.
	DropOldest
	// Refuse turns the new message away with ErrFull.
	Refuse
)

// String names the policy as it is written in a service's README.
func (o Overflow) String() string {
	switch o {
	case Block:
		return "block"
	case DropOldest:
		return "drop oldest"
	case Refuse:
		return "refuse"
	}
	return fmt.Sprintf("overflow(%d)", uint8(o))
}

// MailboxConfig bounds a mailbox.
type MailboxConfig[T any] struct {
	// Length is the most messages that wait; at least 1.
	Length int
	// Overflow is what happens to the message that finds no room.
	Overflow Overflow
	// Bytes bounds the sum of Size over the waiting messages; 0 is no bound.
	// A single message larger than Bytes enters an empty mailbox.
	Bytes int
	// Size weighs a message; wanted where Bytes is set.
	Size func(T) int
	// Dropped is told of each message that DropOldest evicts. It is called
	// from Put without a lock held, and may be nil.
	Dropped func(T)
}

// Stats is what a mailbox tells a metrics collector.
type Stats struct {
	// Length is how many messages wait, and Bytes how much they weigh.
	Length, Bytes int
	// Oldest is the age of the message that waits longest, 0 when empty.
	Oldest time.Duration
	// Dropped counts evicted messages, Refused those that were turned away.
	Dropped, Refused uint64
}

type letter[T any] struct {
	v    T
	size int
	at   time.Time
}

// Mailbox is a bounded queue of messages. Use NewMailbox.
type Mailbox[T any] struct {
	cfg MailboxConfig[T]

	mu      sync.Mutex
	changed *sync.Cond
	ring    []letter[T]
	head    int
	count   int
	bytes   int
	closed  bool
	dropped uint64
	refused uint64
}

// NewMailbox returns an empty mailbox, or says what is wrong with cfg.
func NewMailbox[T any](cfg MailboxConfig[T]) (*Mailbox[T], error) {
	switch {
	case cfg.Length < 1:
		return nil, fmt.Errorf("mailbox length %d: want at least 1", cfg.Length)
	case cfg.Overflow < Block || cfg.Overflow > Refuse:
		return nil, errors.New("mailbox without an overflow policy")
	case cfg.Bytes > 0 && cfg.Size == nil:
		return nil, errors.New("mailbox bounded in bytes, but nothing weighs its messages")
	}
	m := &Mailbox[T]{cfg: cfg}
	m.changed = sync.NewCond(&m.mu)
	return m, nil
}

// Put adds v. It waits only under Block, until there is room or ctx ends. The
// error is ErrFull, ErrClosed or that of ctx; v is then not in the mailbox.
func (m *Mailbox[T]) Put(ctx context.Context, v T) error {
	size := 0
	if m.cfg.Size != nil {
		size = m.cfg.Size(v)
	}
	evicted, err := m.put(ctx, v, size)
	if m.cfg.Dropped != nil {
		for i := range evicted {
			m.cfg.Dropped(evicted[i])
		}
	}
	return err
}

func (m *Mailbox[T]) put(ctx context.Context, v T, size int) (evicted []T, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		switch {
		case m.closed:
			return evicted, ErrClosed
		case m.fits(size):
			m.push(letter[T]{v, size, time.Now()})
			m.changed.Broadcast()
			return evicted, nil
		case m.cfg.Overflow == Refuse:
			m.refused++
			return evicted, ErrFull
		case m.cfg.Overflow == DropOldest:
			evicted = append(evicted, m.pop().v)
			m.dropped++
		default:
			if err := m.wait(ctx); err != nil {
				return evicted, err
			}
		}
	}
}

// Take removes the oldest message, waiting for one until ctx ends. Once the
// mailbox is closed and empty it answers ErrClosed.
func (m *Mailbox[T]) Take(ctx context.Context) (T, error) {
	var one [1]T
	_, err := m.TakeBatch(ctx, one[:])
	return one[0], err
}

// TakeBatch waits for a message and then fills buf with what is there, without
// waiting for more. It answers how many it took: at least 1 if err is nil.
func (m *Mailbox[T]) TakeBatch(ctx context.Context, buf []T) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.count == 0 {
		if m.closed {
			return 0, ErrClosed
		}
		if err := m.wait(ctx); err != nil {
			return 0, err
		}
	}
	n := min(len(buf), m.count)
	for i := range n {
		buf[i] = m.pop().v
	}
	m.changed.Broadcast()
	return n, nil
}

// Close lets nothing more enter. It may be called more than once.
func (m *Mailbox[T]) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.changed.Broadcast()
}

// Stats reads the counters.
func (m *Mailbox[T]) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Stats{Length: m.count, Bytes: m.bytes, Dropped: m.dropped, Refused: m.refused}
	if m.count > 0 {
		s.Oldest = time.Since(m.ring[m.head].at)
	}
	return s
}

func (m *Mailbox[T]) fits(size int) bool {
	if m.count >= m.cfg.Length {
		return false
	}
	return m.cfg.Bytes == 0 || m.count == 0 || m.bytes+size <= m.cfg.Bytes
}

// wait releases the lock until something changed or ctx ended.
func (m *Mailbox[T]) wait(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.changed.Broadcast()
	})
	m.changed.Wait()
	stop()
	return nil
}

func (m *Mailbox[T]) push(l letter[T]) {
	if m.count == len(m.ring) {
		m.grow()
	}
	m.ring[(m.head+m.count)%len(m.ring)] = l
	m.count++
	m.bytes += l.size
}

func (m *Mailbox[T]) pop() letter[T] {
	l := m.ring[m.head]
	m.ring[m.head] = letter[T]{}
	m.head = (m.head + 1) % len(m.ring)
	m.count--
	m.bytes -= l.size
	return l
}

// grow doubles the ring: most mailboxes never need the length they may have.
func (m *Mailbox[T]) grow() {
	ring := make([]letter[T], min(m.cfg.Length, max(8, 2*len(m.ring))))
	for i := range m.count {
		ring[i] = m.ring[(m.head+i)%len(m.ring)]
	}
	m.ring, m.head = ring, 0
}
