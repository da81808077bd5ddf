package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/replay"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/wire"
)

// progress shows how far a replay is: one line that changes on a terminal,
// a line now and then elsewhere.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	live  bool
	began time.Time
	shown time.Time
	kinds map[source.Kind]string
	layer string
	// width of the line that stands there now.
	width int
}

// How often it is shown.
const (
	liveEvery  = 100 * time.Millisecond
	plainEvery = 2 * time.Second
)

func newProgress(e *env) *progress {
	return &progress{out: e.stderr, live: e.terminal, began: time.Now(), kinds: make(map[source.Kind]string)}
}

// Objects remembers how many of a kind are done.
func (p *progress) Objects(k source.Kind, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kinds[k] = fmt.Sprintf("%s %d/%d", k, done, total)
	p.show(false)
}

// Layer remembers the layer; the last one is always shown.
func (p *progress) Layer(layer, last wire.LayerID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.layer = fmt.Sprintf("layer %d/%d", layer, last)
	p.show(layer == last)
}

// show writes the line if that is due. The caller holds the lock.
func (p *progress) show(always bool) {
	every := plainEvery
	if p.live {
		every = liveEvery
	}
	now := time.Now()
	if !always && now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	parts := []string{fmt.Sprintf("%6.1fs", now.Sub(p.began).Seconds())}
	if p.layer != "" {
		parts = append(parts, p.layer)
	}
	for _, k := range source.Kinds() {
		if s := p.kinds[k]; s != "" {
			parts = append(parts, s)
		}
	}
	line := strings.Join(parts, "  ")
	if !p.live {
		fmt.Fprintln(p.out, line)
		return
	}
	p.clear()
	fmt.Fprint(p.out, line)
	p.width = len(line)
}

// clear empties the terminal's line.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.width = 0
	}
}

// Notice writes a line at once.
func (p *progress) Notice(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, "%6.1fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// Differs writes a difference at once.
func (p *progress) Differs(d replay.Difference) { p.Notice("DIFFERENCE %s", d) }

// close leaves the terminal's line to others.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}
