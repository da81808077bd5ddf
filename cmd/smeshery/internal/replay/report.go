package replay

import (
	"context"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Report is what a replay found.
type Report struct {
	Source  string `json:"source"`
	Network string `json:"network"`

	FirstLayer wire.LayerID `json:"first_layer"`
	LastLayer  wire.LayerID `json:"last_layer"`
	// ResumedAfter is the layer at which an earlier run had stopped.
	ResumedAfter wire.LayerID `json:"resumed_after"`
	// Applied is the last layer in the state, and StateRoot its root.
	Applied        wire.LayerID `json:"applied_layer"`
	LayersApplied  int          `json:"layers_applied"`
	LayersCompared int          `json:"layers_compared"`
	StateRoot      string       `json:"state_root"`

	Kinds  []*Tally `json:"kinds"`
	Checks []Check  `json:"checks"`

	Differences int `json:"differences"`
	// First are the first differences, and ByField counts all of them.
	First   []Difference   `json:"first_differences"`
	ByField map[string]int `json:"differences_by_field"`

	Seconds float64 `json:"seconds"`
}

// Tally counts the rows of a kind.
type Tally struct {
	Kind source.Kind `json:"kind"`
	// Objects were offered: Judged now, or Known from an earlier run.
	Objects int `json:"objects"`
	Judged  int `json:"judged"`
	Known   int `json:"known"`
	// Compared rows agreed or differed.
	Compared int     `json:"compared"`
	Seconds  float64 `json:"seconds"`
}

// PerSecond is how many were judged in a second.
func (t *Tally) PerSecond() float64 {
	if t.Seconds == 0 {
		return 0
	}
	return float64(t.Judged) / t.Seconds
}

// tally is the count of a kind, made at its first use.
func (r *run) tally(k source.Kind) *Tally {
	for _, t := range r.report.Kinds {
		if t.Kind == k {
			return t
		}
	}
	t := &Tally{Kind: k}
	r.report.Kinds = append(r.report.Kinds, t)
	return t
}

// finishReport adds what is asked of the target at the end.
func (r *run) finishReport(ctx context.Context) {
	r.report.Differences, r.report.First, r.report.ByField = r.differences.count, r.differences.kept, r.differences.byField
	if gatherers, err := r.target.Gather(); err == nil {
		r.report.Checks = checks(gatherers)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	applied, err := state.AppliedFrom(ctx, r.target.DB(), r.genesis+1)
	if err != nil || len(applied) == 0 {
		return
	}
	last := applied[len(applied)-1]
	r.report.Applied, r.report.LayersApplied, r.report.StateRoot = last.Layer, len(applied), last.Root.String()
}
