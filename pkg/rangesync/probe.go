package rangesync

import "fmt"

// ProbeResult is what a probe tells of the peer's set.
type ProbeResult struct {
	Count      int
	Similarity float64 // 1 for equal sets
}

// StartProbe asks about the whole set instead of reconciling it.
func (s *Session) StartProbe() []Message {
	m := Message{Type: Probe, Count: uint32(s.params.SampleSize)}
	if x, ok := s.set.First(); ok {
		m.Fingerprint = s.set.Range(x, x).Fingerprint
	}
	return []Message{m, {Type: EndRound}}
}

// ProbeAnswer reads the answer to a probe: one message and Done.
func (s *Session) ProbeAnswer(messages []Message) (ProbeResult, error) {
	if len(messages) != 2 || messages[1].Type != Done {
		return ProbeResult{}, fmt.Errorf("%w: probe answered with %d messages", ErrUnexpected, len(messages))
	}
	x, filled := s.set.First()
	switch m := messages[0]; m.Type {
	case EmptySet, EmptyRange:
		result := ProbeResult{}
		if !filled {
			result.Similarity = 1
		}
		return result, nil
	case Sample:
		result := ProbeResult{Count: int(m.Count)}
		own := s.set.Range(x, x)
		if m.Fingerprint == own.Fingerprint {
			result.Similarity = 1
			return result, nil
		}
		result.Similarity = similarity(s.sample(x, own.Count), m.Sample)
		return result, nil
	default:
		return ProbeResult{}, fmt.Errorf("%w: probe answered with %s", ErrUnexpected, m.Type)
	}
}

// answerProbe sends a sample, without items if the fingerprints are equal.
func (s *Session) answerProbe(m Message, x, y Key, own Info) {
	answer := s.sampleMessage(x, y, own)
	if own.Fingerprint == m.Fingerprint {
		answer.Sample = nil
	} else if int(m.Count) < len(answer.Sample) {
		answer.Sample = answer.Sample[:m.Count]
	}
	s.emit(answer)
}

func (s *Session) sampleMessage(x, y Key, own Info) Message {
	return Message{
		Type: Sample, X: &x, Y: &y, Fingerprint: own.Fingerprint, Count: uint32(own.Count), Sample: s.sample(x, own.Count),
	}
}

// sample shows the first keys of a range.
func (s *Session) sample(x Key, count int) []uint32 {
	n := min(s.params.SampleSize, count)
	out := make([]uint32, 0, n)
	for k := range s.items(x, n) {
		out = append(out, sampleItem(&k))
	}
	return out
}

// similarity is the share of items in common.
func similarity(a, b []uint32) float64 {
	if len(a) == 0 && len(b) == 0 {
		return 1
	}
	left := make(map[uint32]int, len(a))
	for _, v := range a {
		left[v]++
	}
	common := 0
	for _, v := range b {
		if left[v] > 0 {
			left[v]--
			common++
		}
	}
	return float64(common) / float64(max(len(a), len(b)))
}
