package live

import (
	"time"

	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// State is what the view shows. It is read-only once it was made.
type State struct {
	Now            time.Time
	Clock          layerclock.Clock
	LayersPerEpoch uint32
	Identities     []Identity
	// Layers are the latest that hare has decided or that were applied, ascending.
	Layers []Layer
	// Balance of the coinbase, in smidge.
	Balance  uint64
	Coinbase string
	// Problem is why nothing newer is known; empty if all is well.
	Problem string
}

// Identity is where an identity is.
type Identity struct {
	activation.IdentityStep
	// Labels of Total are made, while it initialises.
	Labels, Total uint64
	// Rate is labels a second; 0 if it is not known yet.
	Rate float64
}

// Layer is what became of a layer.
type Layer struct {
	ID        wire.LayerID
	Ballots   int64
	Decided   bool
	Output    wire.BlockID
	Certified bool
	Applied   bool
	Block     wire.BlockID
	StateRoot wire.Hash32
}

// layer is the present one; started is false before genesis.
func (s *State) layer() (now wire.LayerID, started bool) {
	return s.Clock.LayerAt(s.Now), !s.Now.Before(s.Clock.Genesis)
}

// last is the latest layer of which there is something to tell.
func (s *State) last() Layer {
	if len(s.Layers) == 0 {
		return Layer{}
	}
	return s.Layers[len(s.Layers)-1]
}

// settled tells whether everything is known of a layer that can be expected.
func (s *State) settled(l *Layer) bool {
	now, _ := s.layer()
	return l.Applied && (l.Certified || now > l.ID)
}

// done is how far a step is, 0 to 1, and how long it takes yet; known is false if
// nobody can tell.
func (i *Identity) done(now time.Time) (part float64, left time.Duration, known bool) {
	if i.Step == activation.StepInit && i.Total > 0 {
		part = min(float64(i.Labels)/float64(i.Total), 1)
		if i.Rate > 0 {
			left = time.Duration(float64(i.Total-min(i.Labels, i.Total)) / i.Rate * float64(time.Second))
		}
		return part, left, true
	}
	if i.Until.IsZero() || i.Since.IsZero() || !i.Until.After(i.Since) {
		return 0, 0, false
	}
	part = float64(now.Sub(i.Since)) / float64(i.Until.Sub(i.Since))
	return min(max(part, 0), 1), max(i.Until.Sub(now), 0), true
}

// words are steps as people call them.
func words(s activation.Step, publish wire.EpochID) string {
	switch s {
	case activation.StepWaitData:
		return "waiting for its data"
	case activation.StepInit:
		return "initialising"
	case activation.StepInitialPost:
		return "first proof of space"
	case activation.StepWaitSync:
		return "waiting for sync"
	case activation.StepWaitWindow:
		return "waiting for registration at the PoET"
	case activation.StepRegister:
		return "registering at the PoET"
	case activation.StepWaitPoet:
		return "waiting for the PoET's proof"
	case activation.StepProve:
		return "proving"
	case activation.StepWaitPublish:
		return "waiting to publish"
	case activation.StepPublish:
		return "publishing its ATX"
	case activation.StepPublished:
		return "ATX of epoch " + publish.String() + " published"
	}
	return string(s)
}
