package replay

import (
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Progress is told what happens. Its methods are called from one goroutine at a
// time, except Notice and Differs.
type Progress interface {
	// Objects: of a kind, so many are done of so many, known ones included.
	Objects(k source.Kind, done, total int)
	// Layer was processed; last is where the replay ends.
	Layer(layer, last wire.LayerID)
	// Notice is for what the user should know at once.
	Notice(format string, args ...any)
	// Differs is called for the first few differences.
	Differs(d Difference)
}

// Quiet is a Progress that says nothing.
type Quiet struct{}

// Objects says nothing.
func (Quiet) Objects(source.Kind, int, int) {}

// Layer says nothing.
func (Quiet) Layer(_, _ wire.LayerID) {}

// Notice says nothing.
func (Quiet) Notice(string, ...any) {}

// Differs says nothing.
func (Quiet) Differs(Difference) {}
