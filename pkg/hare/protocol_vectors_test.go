package hare_test

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorsDelayGrade(t *testing.T) {
	type gradeCase struct {
		Current, Since  [2]uint8
		AbsoluteCurrent uint32 `json:"absolute_current"`
		AbsoluteSince   uint32 `json:"absolute_since"`
		Delay           uint32
		Grade           uint8
	}
	vectors.Run(t, "hare/delay_grade", func(t *testing.T, c gradeCase) {
		now, since := roundAt(c.Current), roundAt(c.Since)
		require.Equal(t, c.AbsoluteCurrent, now.Absolute())
		require.Equal(t, c.AbsoluteSince, since.Absolute())
		require.Equal(t, c.Delay, hare.Delay(now, since))
		require.Equal(t, c.Grade, hare.Grade(now, since))
	})
}

func roundAt(v [2]uint8) wire.IterRound {
	return wire.IterRound{Iter: v[0], Round: wire.HareRound(v[1])}
}

// padded is hex with the zero bytes at its end left out.
func padded[T ~[20]byte | ~[32]byte | ~[80]byte](t *testing.T, text string) (out T) {
	t.Helper()
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	switch p := any(&out).(type) {
	case *wire.ProposalID:
		copy(p[:], b)
	case *wire.Hash32:
		copy(p[:], b)
	case *wire.NodeID:
		copy(p[:], b)
	case *wire.VrfSignature:
		copy(p[:], b)
	default:
		t.Fatalf("no padding for %T", out)
	}
	return out
}

func proposalList(t *testing.T, list []string) []wire.ProposalID {
	out := make([]wire.ProposalID, len(list))
	for i, id := range list {
		out[i] = padded[wire.ProposalID](t, id)
	}
	return out
}

type traceMessage struct {
	Iter, Round uint8
	Proposals   []string
	Reference   string
}

type traceStep struct {
	In           []json.RawMessage
	Proposals    []string
	Ref          string
	Gossip       bool
	Equivocation []string
	Next         *[2]uint8
	After        [2]uint8
	Coin         *bool
	Result       json.RawMessage
	Terminated   bool
	Message      *traceMessage
}

func (s traceStep) input(t *testing.T) hare.Input {
	t.Helper()
	require.Len(t, s.In, 8)
	var (
		m                  wire.HareMessage
		in                 hare.Input
		sender, proof, sum string
	)
	targets := []any{
		&m.Body.Iter, &m.Body.Round, &sender, &proof, &m.Body.Eligibility.Count,
		&in.Grade, &in.Malicious, &sum,
	}
	for i, target := range targets {
		require.NoError(t, json.Unmarshal(s.In[i], target))
	}
	m.Sender = padded[wire.NodeID](t, sender)
	m.Body.Eligibility.Proof = padded[wire.VrfSignature](t, proof)
	m.Body.Value.Proposals = proposalList(t, s.Proposals)
	if s.Ref != "" {
		ref := padded[wire.Hash32](t, s.Ref)
		m.Body.Value.Reference = &ref
	}
	in.Message, in.Hash = &m, padded[wire.Hash32](t, sum)
	return in
}

type traceCase struct {
	Initial   []string
	Threshold uint16
	Steps     []traceStep
}

func (c traceCase) run(t *testing.T, hare4 bool) {
	p := hare.NewProtocol(2*(c.Threshold-1), 255)
	p.SetInitial(proposalList(t, c.Initial))
	for i, step := range c.Steps {
		if step.Next == nil {
			gossip, proof := p.Receive(step.input(t))
			require.Equal(t, step.Gossip, gossip, "step %d", i)
			var accused []string
			if proof != nil {
				accused = step.Equivocation
				require.Len(t, accused, 1)
				require.Equal(t, padded[wire.NodeID](t, accused[0]), proof.Messages[0].SmesherID, "step %d", i)
			}
			require.Equal(t, step.Equivocation, accused, "step %d", i)
			continue
		}
		require.Equal(t, roundAt(*step.Next), p.At(), "step %d", i)
		out := p.Execute()
		require.Equal(t, roundAt(*step.Next), out.At)
		require.Equal(t, roundAt(step.After), p.At())
		require.Equal(t, step.Coin, out.Coin, "step %d", i)
		require.Equal(t, step.Terminated, out.Terminated, "step %d", i)
		step.checkResult(t, out)
		step.checkMessage(t, out, hare4)
	}
}

func (s traceStep) checkResult(t *testing.T, out hare.Output) {
	t.Helper()
	if s.Result == nil {
		require.Nil(t, out.Result)
		return
	}
	var want []string
	require.NoError(t, json.Unmarshal(s.Result, &want))
	require.NotNil(t, out.Result)
	require.Equal(t, proposalList(t, want), out.Result)
}

func (s traceStep) checkMessage(t *testing.T, out hare.Output, hare4 bool) {
	t.Helper()
	if s.Message == nil {
		require.Nil(t, out.Value)
		return
	}
	require.NotNil(t, out.Value)
	require.Equal(t, out.At, roundAt([2]uint8{s.Message.Iter, s.Message.Round}))
	require.Equal(t, len(s.Message.Proposals), len(out.Value.Proposals))
	switch {
	case s.Message.Round == 0 && !hare4:
		// Hare3 sends its preround in any order.
		require.ElementsMatch(t, proposalList(t, s.Message.Proposals), out.Value.Proposals)
	case len(s.Message.Proposals) > 0:
		require.Equal(t, proposalList(t, s.Message.Proposals), out.Value.Proposals)
	}
	require.Equal(t, s.Message.Reference == "", out.Value.Reference == nil)
	if out.Value.Reference != nil {
		require.Equal(t, padded[wire.Hash32](t, s.Message.Reference), *out.Value.Reference)
	}
}

func TestVectorsProtocolTraces(t *testing.T) {
	vectors.Run(t, "hare/hare3_protocol_traces", func(t *testing.T, c traceCase) { c.run(t, false) })
	vectors.Run(t, "hare/hare4_protocol_traces", func(t *testing.T, c traceCase) { c.run(t, true) })
}
