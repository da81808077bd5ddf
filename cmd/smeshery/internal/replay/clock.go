package replay

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Clock is the services' clock; it stands until it is set, and never goes back.
// Its zero value is 1970.
type Clock struct{ now atomic.Int64 }

// Now reads the clock.
func (c *Clock) Now() time.Time { return time.Unix(0, c.now.Load()).UTC() }

// Set moves the clock forward to t.
func (c *Clock) Set(t time.Time) {
	for ns := t.UnixNano(); ; {
		old := c.now.Load()
		if ns <= old || c.now.CompareAndSwap(old, ns) {
			return
		}
	}
}

// Arrivals tells activation when the other node received the ATXs that are on
// their way.
type Arrivals struct {
	mu sync.Mutex
	at map[wire.ATXID]time.Time
}

// Received is the time of an ATX's arrival, if the source told it.
func (a *Arrivals) Received(id wire.ATXID) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.at[id]
	return t, ok
}

func (a *Arrivals) expect(id wire.ATXID, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at == nil {
		a.at = make(map[wire.ATXID]time.Time)
	}
	a.at[id] = at
}

func (a *Arrivals) forget(id wire.ATXID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.at, id)
}
