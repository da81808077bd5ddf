package live

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// barWidth is that of progress bars, in characters.
const barWidth = 20

// Render is the view in lines of at most width characters and at most height of
// them. Identities that do not fit are summed up by their steps.
func Render(s *State, width, height int) []string {
	out := head(s)
	last := s.last()
	foot := append(layerLines(&last), "coinbase   "+s.Coinbase, "balance    "+Coins(s.Balance))
	if s.Problem != "" {
		foot = append(foot, "!          "+s.Problem)
	}
	room := max(height-len(out)-len(foot)-2, 1)
	out = append(out, "")
	if len(s.Identities) <= room {
		out = append(out, each(s)...)
	} else {
		out = append(out, summary(s)...)
	}
	out = append(append(out, ""), foot...)
	if len(out) > height {
		out = out[:max(height, 0)]
	}
	for i := range out {
		out[i] = cut(out[i], width)
	}
	return out
}

// cut keeps a line from wrapping.
func cut(line string, width int) string {
	if width <= 0 || utf8.RuneCountInString(line) <= width {
		return line
	}
	r := []rune(line)
	return string(r[:width-1]) + "…"
}

func head(s *State) []string {
	layer, started := s.layer()
	if !started {
		return []string{"genesis in " + span(s.Clock.Genesis.Sub(s.Now)) + ", at " + s.Clock.Genesis.Local().Format("15:04:05")}
	}
	epoch := layer.Epoch(s.LayersPerEpoch)
	next := s.Clock.Until(s.Now, layer+1)
	nextEpoch := s.Clock.Until(s.Now, (epoch + 1).FirstLayer(s.LayersPerEpoch))
	part := 1 - float64(nextEpoch)/(float64(s.Clock.LayerDuration)*float64(s.LayersPerEpoch))
	return []string{
		fmt.Sprintf("epoch %-4d %s next in %s", epoch, bar(part), span(nextEpoch)),
		fmt.Sprintf("layer %-4d %s next in %s", layer, bar(1-float64(next)/float64(s.Clock.LayerDuration)), span(next)),
	}
}

func bar(part float64) string {
	full := int(min(max(part, 0), 1)*barWidth + 0.5)
	return "[" + strings.Repeat("█", full) + strings.Repeat("·", barWidth-full) + "]"
}

// span is a time that is left, to the second.
func span(d time.Duration) string { return max(d, 0).Round(time.Second).String() }

// each has a line for every identity.
func each(s *State) (out []string) {
	if len(s.Identities) == 0 {
		return []string{"identities starting"}
	}
	wide := 0
	for i := range s.Identities {
		wide = max(wide, len(label(&s.Identities[i])))
	}
	for i := range s.Identities {
		id := &s.Identities[i]
		line := fmt.Sprintf("%-*s  %s", wide, label(id), words(id.Step, id.Publish))
		if part, left, known := id.done(s.Now); known {
			line = fmt.Sprintf("%-*s  %s %s", wide, label(id), bar(part), words(id.Step, id.Publish))
			if left > 0 {
				line += ", " + span(left) + " left"
			}
		}
		if id.Note != "" {
			line += " (" + id.Note + ")"
		}
		out = append(out, line)
	}
	return out
}

func label(id *Identity) string {
	if name := strings.TrimSuffix(id.Name, ".key"); name != "" {
		return name + " " + id.Node.String()[:8]
	}
	return id.Node.String()[:8]
}

// stepsInOrder are all steps, as a life goes.
func stepsInOrder() []activation.Step {
	return []activation.Step{
		activation.StepWaitData, activation.StepInit, activation.StepInitialPost, activation.StepWaitSync, activation.StepWaitWindow,
		activation.StepRegister, activation.StepWaitPoet, activation.StepProve, activation.StepWaitPublish, activation.StepPublish,
		activation.StepPublished,
	}
}

// summary has a line for every step that identities are in.
func summary(s *State) []string {
	out := []string{fmt.Sprintf("%d identities", len(s.Identities))}
	for _, step := range stepsInOrder() {
		if line := summed(s, step); line != "" {
			out = append(out, "  "+line)
		}
	}
	return out
}

// summed tells of the identities in one step; empty if there are none.
func summed(s *State, step activation.Step) string {
	var n, progress int
	var part float64
	var last time.Duration
	var publish wire.EpochID
	var noted string
	for i := range s.Identities {
		id := &s.Identities[i]
		if id.Step != step {
			continue
		}
		n++
		publish = max(publish, id.Publish)
		if id.Note != "" {
			noted = id.Note
		}
		if p, left, known := id.done(s.Now); known {
			progress++
			part += p
			last = max(last, left)
		}
	}
	if n == 0 {
		return ""
	}
	line := fmt.Sprintf("%6d %s", n, words(step, publish))
	if progress > 0 {
		line = fmt.Sprintf("%6d %s %s", n, bar(part/float64(progress)), words(step, publish))
	}
	if last > 0 {
		line += ", " + span(last) + " left for the last"
	}
	if noted != "" {
		line += " (" + noted + ")"
	}
	return line
}

func layerLines(l *Layer) []string {
	if l.ID == 0 && !l.Decided && !l.Applied {
		return []string{"last layer none yet"}
	}
	out := []string{fmt.Sprintf("last layer %d: %d proposals", l.ID, l.Ballots), "hare       " + hareWords(l)}
	certificate := "none yet"
	if l.Certified {
		certificate = "certified"
	}
	block := "not applied yet"
	switch {
	case l.Applied && l.Block == wire.BlockID{}:
		block = "applied, empty"
	case l.Applied:
		block = "applied " + short(l.Block[:])
	}
	root := "-"
	if l.Applied {
		root = fmt.Sprintf("%x", l.StateRoot[:])
	}
	return append(out, "cert.      "+certificate, "block      "+block, "state root "+root)
}

func hareWords(l *Layer) string {
	switch {
	case !l.Decided:
		return "no output yet"
	case l.Output == wire.BlockID{}:
		return "empty output"
	}
	return "output " + short(l.Output[:])
}

func short(id []byte) string { return fmt.Sprintf("%x", id[:5]) }

// Smidge in a coin.
const coin = 1_000_000_000

// Coins writes an amount of smidge as people read it.
func Coins(smidge uint64) string {
	text := fmt.Sprintf("%d.%09d", smidge/coin, smidge%coin)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " SMH"
}

// Lines tell what changed since a state, one thing a line.
func Lines(before, now *State) (out []string) {
	if layer, started := now.layer(); started {
		was, had := before.layer()
		if e := layer.Epoch(now.LayersPerEpoch); !had || was.Epoch(now.LayersPerEpoch) != e {
			out = append(out, fmt.Sprintf("epoch %d", e))
		}
	}
	out = append(out, changedSteps(before, now)...)
	out = append(out, settledLayers(before, now)...)
	if now.Problem != before.Problem && now.Problem != "" {
		out = append(out, now.Problem)
	}
	return out
}

// settledLayers tells of every layer once, when there is nothing more to wait for.
func settledLayers(before, now *State) (out []string) {
	told := make(map[wire.LayerID]bool)
	for i := range before.Layers {
		told[before.Layers[i].ID] = before.settled(&before.Layers[i])
	}
	for i := range now.Layers {
		if l := &now.Layers[i]; now.settled(l) && !told[l.ID] {
			out = append(out, layerLine(l))
		}
	}
	if len(out) > 0 {
		out[len(out)-1] += ", coinbase " + Coins(now.Balance)
	}
	return out
}

// changedSteps tells of identities in new steps: each of a few, many by their
// steps.
func changedSteps(before, now *State) (out []string) {
	was := make(map[wire.NodeID]activation.IdentityStep, len(before.Identities))
	for i := range before.Identities {
		was[before.Identities[i].Node] = before.Identities[i].IdentityStep
	}
	var moved []activation.Step
	for i := range now.Identities {
		id := &now.Identities[i]
		if old := was[id.Node]; old.Step == id.Step && old.Publish == id.Publish && old.Note == id.Note {
			continue
		}
		moved = append(moved, id.Step)
		line := "identity " + label(id) + ": " + words(id.Step, id.Publish)
		if _, left, known := id.done(now.Now); known && left > 0 {
			line += ", until " + id.Until.Local().Format("15:04:05")
		}
		if id.Note != "" {
			line += " (" + id.Note + ")"
		}
		out = append(out, line)
	}
	if len(out) <= manyMoved {
		return out
	}
	out = out[:0]
	for _, step := range stepsInOrder() {
		if slices.Contains(moved, step) {
			out = append(out, "identities: "+strings.TrimSpace(summed(now, step)))
		}
	}
	return out
}

// manyMoved is how many identities are told of one by one.
const manyMoved = 8

func layerLine(l *Layer) string {
	parts := []string{fmt.Sprintf("layer %d: %d proposals", l.ID, l.Ballots), "hare " + hareWords(l)}
	if l.Certified {
		parts = append(parts, "certified")
	}
	switch {
	case l.Applied && l.Block == wire.BlockID{}:
		parts = append(parts, "applied empty")
	case l.Applied:
		parts = append(parts, "applied "+short(l.Block[:]))
	}
	if l.Applied {
		parts = append(parts, "state "+short(l.StateRoot[:]))
	}
	return strings.Join(parts, ", ")
}
