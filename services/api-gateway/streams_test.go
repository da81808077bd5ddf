package apigateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	v1 "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/smeshery/smeshery/internal/seedtest"
	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
)

// streamed is a case of a stream.
type streamed struct {
	Method    string            `json:"method"`
	Request   json.RawMessage   `json:"request"`
	Responses []json.RawMessage `json:"responses"`
	Error     *refusal          `json:"error"`
	End       string            `json:"end"`
}

func (g *gateway) stream(t *testing.T, c streamed) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m := lookup(t, c.Method)
	enough := -1 // to the end
	if c.End == "open" {
		enough = len(c.Responses)
	}
	request := m.request()
	if len(c.Request) > 2 {
		decode(t, c.Request, request)
	}
	got, err := collect(ctx, t, g, m, request, enough)
	if c.Error != nil {
		c.Error.check(t, err)
	} else {
		require.NoError(t, err)
	}
	require.Len(t, got, len(c.Responses))
	for i, want := range c.Responses {
		same(t, decode(t, want, m.answer()), got[i])
	}
}

func TestStreams(t *testing.T) {
	g := start(t)
	vectors.Run(t, "api/v1_v2_stream", g.stream)
}

// happening is an internal event of a vector.
type happening struct {
	Event string `json:"event"`
	Args  struct {
		Layer    uint32         `json:"layer"`
		Status   string         `json:"status"`
		Coinbase string         `json:"coinbase"`
		Share    vectors.Uint64 `json:"layer_reward"`
		Total    vectors.Uint64 `json:"total"`
		Smesher  vectors.Hex    `json:"smesher"`
		Address  string         `json:"address"`
		Prefixed string         `json:"addresses_prefixed_with"`
		ID       vectors.Hex    `json:"id"`
		Message  string         `json:"msg"`
		Trace    string         `json:"trace"`
	} `json:"args"`
}

// statuses are those of layers. The API never told of the confirmed one.
var statuses = map[string]events.LayerStatus{"unknown": 0, "approved": 1, "confirmed": 2, "applied": 3}

// happen makes an event happen in the hub.
func (g *gateway) happen(t testing.TB, h happening) {
	t.Helper()
	ctx, db, hub := t.Context(), seedtest.Reader(t, g.URL), g.service.Hub()
	switch h.Event {
	case "layer_update":
		status, ok := statuses[h.Args.Status]
		require.True(t, ok, h.Args.Status)
		hub.Emit(live.Layer{Layer: wire.LayerID(h.Args.Layer), Status: status})
	case "reward":
		hub.Emit(live.Rewards{Rewards: []wire.Reward{{
			Layer: wire.LayerID(h.Args.Layer), TotalReward: uint64(h.Args.Total), LayerReward: uint64(h.Args.Share),
			Coinbase: g.Seed.Address(t, h.Args.Coinbase), SmesherID: wire.NodeID(h.Args.Smesher),
		}}})
	case "account":
		hub.Emit(live.Accounts{Addresses: []wire.Address{g.Seed.Address(t, h.Args.Address)}})
	case "activation":
		found, err := activation.DetailsByID(ctx, db, []wire.ATXID{wire.ATXID(h.Args.ID)})
		require.NoError(t, err)
		require.Len(t, found, 1)
		hub.Emit(live.Activation{ATX: found[0]})
	case "transaction":
		found, err := state.TransactionsByID(ctx, db, []wire.TransactionID{wire.TransactionID(h.Args.ID)})
		require.NoError(t, err)
		require.Len(t, found, 1)
		hub.Emit(live.Transactions{Transactions: found})
	case "result":
		found, err := state.ResultsByID(ctx, db, []wire.TransactionID{wire.TransactionID(h.Args.ID)})
		require.NoError(t, err)
		require.Len(t, found, 1)
		found[0].Result.Layer = wire.LayerID(h.Args.Layer)
		if h.Args.Prefixed != "" {
			found[0].Result.Addresses = append([]wire.Address{g.Seed.Address(t, h.Args.Prefixed)}, found[0].Result.Addresses...)
		}
		hub.Emit(live.Results{Results: found})
	case "malfeasance":
		found, err := activation.ProofsOf(ctx, db, []wire.NodeID{wire.NodeID(h.Args.Smesher)})
		require.NoError(t, err)
		require.Len(t, found, 1)
		hub.Emit(live.Malfeasance{Node: found[0].Node, Proof: found[0].Proof})
	case "status":
		hub.Emit(live.Status{})
	case "error":
		hub.Emit(live.Error{Level: v1.LogLevel_LOG_LEVEL_ERROR, Text: h.Args.Message, Stack: h.Args.Trace})
	default:
		require.Fail(t, "unknown event", h.Event)
	}
}

// TestLiveStreams opens all streams, then makes the events happen once for all.
func TestLiveStreams(t *testing.T) {
	g := start(t)
	submit(t, g)
	g.caughtUp(t, 1) // what the submission itself says comes before the streams
	type opened struct {
		streamed
		Name    string            `json:"name"`
		History []json.RawMessage `json:"history"`
		Live    []json.RawMessage `json:"live"`

		method method
		stream grpc.ClientStream
	}
	var file struct {
		Events []happening `json:"events"`
		Cases  []*opened   `json:"cases"`
	}
	vectors.Load(t, "api/live_stream", &file)
	require.NotEmpty(t, file.Cases)
	require.NotEmpty(t, file.Events)
	t.Run("api/live_stream.json", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		receive := func(t *testing.T, c *opened, want []json.RawMessage) {
			for i, w := range want {
				got := c.method.answer()
				require.NoError(t, c.stream.RecvMsg(got), "%s: message %d", c.Name, i)
				same(t, decode(t, w, c.method.answer()), got)
			}
		}
		subscribers := g.service.Hub().Subscriptions()
		for _, c := range file.Cases {
			c.method = lookup(t, c.Method)
			var err error
			c.stream, err = g.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, c.method.path)
			require.NoError(t, err)
			require.NoError(t, c.stream.SendMsg(decode(t, c.Request, c.method.request())))
			require.NoError(t, c.stream.CloseSend())
		}
		require.Eventually(t, func() bool { return g.service.Hub().Subscriptions() == subscribers+len(file.Cases) }, patience, time.Millisecond)
		for i, c := range file.Cases {
			t.Run(fmt.Sprintf("%d/%s/history", i, c.Name), func(t *testing.T) { receive(t, c, c.History) })
		}
		for _, h := range file.Events {
			g.happen(t, h)
		}
		for i, c := range file.Cases {
			t.Run(fmt.Sprintf("%d/%s", i, c.Name), func(t *testing.T) { receive(t, c, c.Live) })
		}
	})
}
