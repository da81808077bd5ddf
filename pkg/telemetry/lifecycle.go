package telemetry

import (
	"fmt"
	"sync/atomic"
)

// State is where a service is in its life. It only goes forward.
type State int32

const (
	// Starting: connecting to Postgres and NATS.
	Starting State = iota
	// Recovering: resurrecting what the rows say it owns, catching up.
	Recovering
	// Serving: ready, as far as its Ready method agrees.
	Serving
	// Draining: left its queue groups, finishes the layer's duties.
	Draining
	// Stopped: Run has returned.
	Stopped
)

// String names the state for /readyz and logs.
func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Recovering:
		return "recovering"
	case Serving:
		return "ready"
	case Draining:
		return "draining"
	case Stopped:
		return "stopped"
	}
	return fmt.Sprintf("state(%d)", int32(s))
}

// Lifecycle holds the state of one service instance. The zero value is Starting.
type Lifecycle struct {
	state atomic.Int32
}

// Advance moves to s, unless the state is past it already.
func (l *Lifecycle) Advance(s State) {
	for {
		now := l.state.Load()
		if now >= int32(s) || l.state.CompareAndSwap(now, int32(s)) {
			return
		}
	}
}

// State is the present state.
func (l *Lifecycle) State() State { return State(l.state.Load()) }

// Ready is nil only while serving.
func (l *Lifecycle) Ready() error {
	if s := l.State(); s != Serving {
		return fmt.Errorf("%s", s)
	}
	return nil
}
