package live

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Screen is where the view goes.
type Screen struct {
	Out io.Writer
	// Terminal is the descriptor of the terminal that Out is; negative if it is
	// none, and then lines are written.
	Terminal int
}

// size of the terminal; that of old ones if it does not tell.
func (s *Screen) size() (width, height int) {
	w, err := unix.IoctlGetWinsize(s.Terminal, unix.TIOCGWINSZ)
	if err != nil || w.Col == 0 || w.Row == 0 {
		return 80, 24
	}
	return int(w.Col), int(w.Row)
}

// How often something new is looked for, and how soon after an event.
const (
	every = time.Second
	soon  = 150 * time.Millisecond
)

// Show shows the network until ctx ends.
func Show(ctx context.Context, w *Watcher, s Screen) error {
	following, stop := context.WithCancel(ctx)
	var follower sync.WaitGroup
	// Without events the view still looks every second.
	follower.Go(func() { _ = w.Follow(following) })
	defer follower.Wait()
	defer stop()
	v := &view{screen: s}
	defer v.end()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		state := w.Look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := v.show(state); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.News():
			// More may come with it.
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(soon):
			}
		}
	}
}

// view is what stands on the screen.
type view struct {
	screen Screen
	before *State
	// lines of the terminal that are ours.
	lines int
}

func (v *view) show(now *State) error {
	before := v.before
	if before == nil {
		before = &State{Clock: now.Clock, LayersPerEpoch: now.LayersPerEpoch}
	}
	// What a database that is away cannot tell is as it was.
	if now.Problem != "" {
		now.Identities, now.Layers, now.Balance = before.Identities, before.Layers, before.Balance
	}
	v.before = now
	if v.screen.Terminal < 0 {
		for _, line := range Lines(before, now) {
			if _, err := fmt.Fprintf(v.screen.Out, "%s %s\n", now.Now.Local().Format("15:04:05"), line); err != nil {
				return err
			}
		}
		return nil
	}
	width, height := v.screen.size()
	lines := Render(now, width, height-1)
	var b strings.Builder
	b.WriteString(up(min(v.lines, height-1)))
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	v.lines = len(lines)
	_, err := io.WriteString(v.screen.Out, b.String())
	return err
}

// up moves to the first of the last n lines, and hides the cursor.
func up(n int) string {
	if n == 0 {
		return "\x1b[?25l"
	}
	return fmt.Sprintf("\x1b[?25l\x1b[%dF", n)
}

// end gives the cursor back.
func (v *view) end() {
	if v.screen.Terminal >= 0 {
		_, _ = io.WriteString(v.screen.Out, "\x1b[?25h")
	}
}
