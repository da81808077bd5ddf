package hare_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/hare"
)

type handlerCase struct {
	Name, Class, Decision string
	Msg                   vectors.Hex
	MalfeasanceProof      vectors.Hex `json:"malfeasance_proof"`
	Malicious             vectors.Hex
}

type exchangeCase struct {
	MessageID vectors.Hex `json:"message_id"`
	Name      string
	Requests  int
	Request   vectors.Hex
	Response  string
	Serves    vectors.Hex
}

var errPeer = errors.New("peer is gone")

// feed hands a message over, lets the peer answer as scripted, and returns what
// was decided and asked for.
func (n *node) feed(t *testing.T, raw []byte, response string) (step hare.Step, requests []string) {
	t.Helper()
	step = n.Handle("peer", raw)
	for step.Verdict == hare.Pending {
		require.Len(t, step.Effects, 1)
		fetch := step.Effects[0].(hare.Fetch)
		require.Equal(t, hare.Peer("peer"), fetch.Peer)
		require.Equal(t, step.Ticket, fetch.Ticket)
		requests = append(requests, fetch.Request.String())
		if response == "error" || response == "" {
			step = n.Fetched(fetch.Ticket, nil, errPeer)
			continue
		}
		var answer vectors.Hex
		require.NoError(t, answer.UnmarshalJSON([]byte(strconv.Quote(response))))
		step = n.Fetched(fetch.Ticket, answer, nil)
	}
	n.apply(step.Effects)
	return step, requests
}

func (c handlerCase) check(t *testing.T, n *node, step hare.Step) {
	t.Helper()
	require.Equal(t, c.Decision, step.Verdict.String())
	var broken *hare.RuleError
	class := ""
	if errors.As(step.Err, &broken) {
		class = string(broken.Rule)
	}
	require.Equal(t, c.Class, class)
	var proof, accused string
	for _, e := range step.Effects {
		if found, ok := e.(hare.Equivocation); ok {
			proof = vectors.Hex(codec.MustEncode(found.Proof)).String()
			accused = found.Node.String()
		}
	}
	require.Equal(t, c.MalfeasanceProof.String(), proof)
	require.Equal(t, c.Malicious.String(), accused)
}

func loadSetting(t *testing.T, name string) setting {
	var s setting
	vectors.Load(t, name, &s)
	s.IterationsLimit = 4
	return s
}

func TestVectorsHare3Handler(t *testing.T) {
	n := newNode(t, loadSetting(t, "hare/hare3_handler"), false)
	require.Equal(t, []hare.Effect{hare.TakeCharge{Layer: n.setting.Layer}}, n.start())
	vectors.Run(t, "hare/hare3_handler", func(t *testing.T, c handlerCase) {
		step, requests := n.feed(t, c.Msg, "")
		require.Empty(t, requests)
		c.check(t, n, step)
	})
}

// loadExchange are the compact cases by their position among the pre-* cases.
func loadExchange(t *testing.T) (out []exchangeCase) {
	var file vectors.File
	vectors.Load(t, "hare/hare4_compact_exchange", &file)
	for _, raw := range file.Cases {
		var c exchangeCase
		require.NoError(t, json.Unmarshal(raw, &c))
		out = append(out, c)
	}
	return out
}

func TestVectorsHare4Handler(t *testing.T) {
	n := newNode(t, loadSetting(t, "hare/hare4_handler"), true)
	n.start()
	exchange := loadExchange(t)
	vectors.Run(t, "hare/hare4_handler", func(t *testing.T, c handlerCase) {
		var peer exchangeCase
		if strings.HasPrefix(c.Name, "pre-") {
			require.Equal(t, c.Name, exchange[0].Name)
			peer, exchange = exchange[0], exchange[1:]
		}
		step, _ := n.feed(t, c.Msg, peer.Response)
		c.check(t, n, step)
	})
	require.Empty(t, exchange)
}

func TestVectorsHare4CompactExchange(t *testing.T) {
	n := newNode(t, loadSetting(t, "hare/hare4_handler"), true)
	n.start()
	var file vectors.File
	vectors.Load(t, "hare/hare4_handler", &file)
	// The exchange's cases build on everything the handler saw before.
	before := func(t *testing.T, until string) []byte {
		for len(file.Cases) > 0 {
			var c handlerCase
			require.NoError(t, json.Unmarshal(file.Cases[0], &c))
			file.Cases = file.Cases[1:]
			if c.Name == until {
				return c.Msg
			}
			n.feed(t, c.Msg, "")
		}
		t.Fatalf("no case %s", until)
		return nil
	}
	vectors.Run(t, "hare/hare4_compact_exchange", func(t *testing.T, c exchangeCase) {
		step, requests := n.feed(t, before(t, c.Name), c.Response)
		require.NotEqual(t, hare.Pending, step.Verdict)
		require.Len(t, requests, c.Requests)
		for _, r := range requests {
			require.Equal(t, c.Request.String(), r)
		}
		answer, ok := n.Serve(c.MessageID)
		require.Equal(t, c.Serves != nil, ok)
		require.Equal(t, c.Serves.String(), vectors.Hex(answer).String())
	})
}
