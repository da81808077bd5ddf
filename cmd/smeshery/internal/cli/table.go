package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/replay"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
)

// printTable prints a report for people.
func printTable(out io.Writer, r *replay.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, network %s, layers %d to %d\n\n", r.Source, r.Network, r.FirstLayer, r.LastLayer)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kind\tvalidated\tknown\tcompared\tseconds\tobjects/s\t")
	for _, k := range source.Kinds() {
		for _, t := range r.Kinds {
			if t.Kind == k {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.2f\t%s\t\n", k, t.Judged, t.Known, t.Compared, t.Seconds, rate(t))
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Checks) > 0 {
		fmt.Fprintln(&b)
		w = tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "of that, verification\tchecks\tcore seconds\teach\t")
		for _, c := range r.Checks {
			fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.3f ms\t\n", c.Name, c.Count, c.Seconds, 1000*c.Seconds/c.Count)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintf(&b, "\nlayers applied: %d, the last is %d\n", r.LayersApplied, r.Applied)
	fmt.Fprintf(&b, "last state root: %s\n", r.StateRoot)
	fmt.Fprintf(&b, "time: %.1f s\n", r.Seconds)
	fmt.Fprintf(&b, "differences: %d\n", r.Differences)
	if r.Differences > 0 {
		fmt.Fprintf(&b, "\nfirst: %s\n", r.First[0])
		for _, field := range slices.Sorted(maps.Keys(r.ByField)) {
			fmt.Fprintf(&b, "  %s: %d\n", field, r.ByField[field])
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func rate(t *replay.Tally) string {
	if t.Judged == 0 || t.Seconds == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", t.PerSecond())
}
