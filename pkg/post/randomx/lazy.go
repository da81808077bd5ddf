package randomx

import (
	"context"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/post"
)

// Lazy is a Hasher that exists while it is needed: it is opened by the first
// use, and closed when it was idle for a while. It is safe for concurrent use;
// services of one process may share one.
type Lazy struct {
	cfg  Config
	idle time.Duration

	mu     sync.Mutex
	hasher *Hasher
	users  int
	uses   uint64
	closed bool
}

var _ post.PowHasher = (*Lazy)(nil)

// NewLazy opens nothing yet. idle is how long memory is kept after the last use;
// 0 keeps it until Close.
func NewLazy(cfg Config, idle time.Duration) *Lazy { return &Lazy{cfg: cfg, idle: idle} }

// Hash implements post.PowHasher.
func (l *Lazy) Hash(input []byte) (out [32]byte, err error) {
	err = l.use(func(h *Hasher) error { out, err = h.Hash(input); return err })
	return out, err
}

// Solve is Hasher.Solve.
func (l *Lazy) Solve(ctx context.Context, task post.PowTask) (pow uint64, err error) {
	err = l.use(func(h *Hasher) error { pow, err = h.Solve(ctx, task); return err })
	return pow, err
}

func (l *Lazy) use(f func(*Hasher) error) error {
	h, err := l.take()
	if err != nil {
		return err
	}
	defer l.put()
	return f(h)
}

// take opens the hasher if need be; others wait meanwhile, for they need it too.
func (l *Lazy) take() (*Hasher, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if l.hasher == nil {
		h, err := New(l.cfg)
		if err != nil {
			return nil, err
		}
		l.hasher = h
	}
	l.users++
	l.uses++
	return l.hasher, nil
}

func (l *Lazy) put() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	switch {
	case l.users > 0 || l.hasher == nil:
	case l.closed:
		l.release()
	case l.idle > 0:
		seen := l.uses
		time.AfterFunc(l.idle, func() { l.rest(seen) })
	}
}

// rest closes the hasher if it was not used since.
func (l *Lazy) rest(seen uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 && l.uses == seen && l.hasher != nil {
		l.release()
	}
}

func (l *Lazy) release() {
	l.hasher.Close()
	l.hasher = nil
}

// Open tells whether memory is taken now.
func (l *Lazy) Open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hasher != nil
}

// Close frees the memory when the last use ends; later ones fail with ErrClosed.
func (l *Lazy) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.hasher != nil && l.users == 0 {
		l.release()
	}
}
