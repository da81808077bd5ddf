package rangesync

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
)

type messageValue struct {
	Type        string         `json:"type"`
	X           vectors.Hex    `json:"x"`
	Y           vectors.Hex    `json:"y"`
	Fingerprint vectors.Hex    `json:"fingerprint"`
	Count       uint32         `json:"count"`
	SampleSize  uint32         `json:"sample_size"`
	Sample      []vectors.Hex  `json:"sample_items_be_hex"`
	Keys        []vectors.Hex  `json:"keys"`
	Since       vectors.Uint64 `json:"since_unix_ns"`
}

func (v *messageValue) message(t *testing.T) Message {
	t.Helper()
	m := Message{Type: Type(slices.Index(typeNames[:], v.Type)), Count: v.Count + v.SampleSize, Since: uint64(v.Since)}
	require.NotEqual(t, Type(0xff), m.Type, v.Type)
	if v.X != nil {
		m.X = (*Key)(v.X)
	}
	if v.Y != nil {
		m.Y = (*Key)(v.Y)
	}
	if v.Fingerprint != nil {
		m.Fingerprint = Fingerprint(v.Fingerprint)
	}
	for _, s := range v.Sample {
		m.Sample = append(m.Sample, binary.BigEndian.Uint32(s))
	}
	m.Keys = keysOf(v.Keys)
	return m
}

func keysOf(list []vectors.Hex) []Key {
	var out []Key
	for _, k := range list {
		out = append(out, Key(k))
	}
	return out
}

func TestVectorMessages(t *testing.T) {
	vectors.Run(t, "p2p/rangesync_messages", func(t *testing.T, c struct {
		Op      string       `json:"op"`
		Encoded vectors.Hex  `json:"encoded"`
		Value   messageValue `json:"value"`
		Outcome string       `json:"outcome"`
		Type    string       `json:"type"`
	},
	) {
		switch c.Op {
		case "encode":
			want := c.Value.message(t)
			raw, err := want.Append(nil)
			require.NoError(t, err)
			require.Equal(t, c.Encoded, vectors.Hex(raw))
			got, n, err := Decode(append(slices.Clone(c.Encoded), 0xff))
			require.NoError(t, err)
			require.Equal(t, len(c.Encoded), n)
			require.Equal(t, want, got)
		case "decode":
			m, _, err := Decode(c.Encoded)
			require.Equal(t, c.Outcome, outcome(err), "%v", err)
			if err == nil {
				require.Equal(t, c.Type, m.Type.String())
			}
		default:
			t.Fatalf("unknown op %q", c.Op)
		}
	})
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrEndOfStream):
		return "end_of_stream"
	case errors.Is(err, codec.ErrEOF):
		return "eof"
	}
	return "invalid"
}

type trace struct {
	Op             string        `json:"op"`
	Initiator      []vectors.Hex `json:"initiator_keys"`
	Responder      []vectors.Hex `json:"responder_keys"`
	InitiatorAfter []vectors.Hex `json:"initiator_keys_after"`
	ResponderAfter []vectors.Hex `json:"responder_keys_after"`
	MaxSendRange   int           `json:"max_send_range"`
	MaxDiff        float64       `json:"max_diff"`
	SampleSize     int           `json:"sample_size"`
	ItemChunk      int           `json:"item_chunk_size"`
	Count          int           `json:"count"`
	Similarity     float64       `json:"similarity"`
	OK             bool          `json:"ok"`
	Trace          []turn        `json:"trace"`
}

type turn struct {
	From     string   `json:"from"`
	Messages []string `json:"messages"`
}

func setOf(list []vectors.Hex) *Keys {
	s := NewKeys(len(list) * bucketSize)
	s.Add(time.Time{}, keysOf(list))
	return s
}

func written(t testing.TB, messages []Message) (out []string) {
	t.Helper()
	for _, m := range messages {
		raw, err := m.Append(nil)
		require.NoError(t, err)
		out = append(out, hex.EncodeToString(raw))
	}
	return out
}

// reconcile lets two sides talk until both are done.
func reconcile(t testing.TB, opening []Message, initiator, responder *Session) (turns []turn) {
	t.Helper()
	sides, names := []*Session{initiator, responder}, []string{"initiator", "responder"}
	from, messages := 0, opening
	for len(messages) > 0 {
		require.Less(t, len(turns), 1000, "no end")
		turns = append(turns, turn{names[from], written(t, messages)})
		var answer []Message
		for _, text := range turns[len(turns)-1].Messages {
			raw, err := hex.DecodeString(text)
			require.NoError(t, err)
			m, n, err := Decode(raw)
			require.NoError(t, err)
			require.Equal(t, len(raw), n)
			out, err := sides[1-from].Receive(time.Time{}, m)
			require.NoError(t, err)
			answer = append(answer, out...)
		}
		messages, from = answer, 1-from
	}
	return turns
}

func TestVectorTraces(t *testing.T) {
	vectors.Run(t, "p2p/rangesync_traces", func(t *testing.T, c trace) {
		params := Params{
			MaxSendRange: c.MaxSendRange, ItemChunk: c.ItemChunk, SampleSize: c.SampleSize, MaxDiff: c.MaxDiff,
		}
		left, right := setOf(c.Initiator), setOf(c.Responder)
		initiator, responder := NewSession(params, left), NewSession(params, right)
		if c.Op == "probe" {
			var answers []Message
			for i, m := range initiator.StartProbe() {
				require.Equal(t, c.Trace[0].Messages[i], written(t, []Message{m})[0])
				out, err := responder.Receive(time.Time{}, m)
				require.NoError(t, err)
				answers = append(answers, out...)
			}
			require.Equal(t, c.Trace[1].Messages, written(t, answers))
			result, err := initiator.ProbeAnswer(answers)
			require.Equal(t, c.OK, err == nil)
			require.Equal(t, ProbeResult{c.Count, c.Similarity}, result)
			return
		}
		require.Equal(t, c.Trace, reconcile(t, initiator.Initiate(time.Time{}), initiator, responder))
		require.True(t, responder.Finished())
		require.True(t, initiator.Finished())
		require.Equal(t, keysOf(c.InitiatorAfter), slices.Collect(left.From(Key{})))
		require.Equal(t, keysOf(c.ResponderAfter), slices.Collect(right.From(Key{})))
	})
}
