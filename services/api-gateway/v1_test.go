package apigateway_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	v1 "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
)

func open(t testing.TB, url, schema string) *store.DB { return storetest.Open(t, url, schema) }

func TestV1Queries(t *testing.T) {
	g := start(t)
	vectors.Run(t, "api/v1_query", func(t *testing.T, c query) {
		g.query(t, c)
		if c.Error == nil {
			m := lookup(t, c.Method)
			raw, err := hex.DecodeString(c.Wire)
			require.NoError(t, err)
			want := m.answer()
			require.NoError(t, proto.Unmarshal(raw, want))
			same(t, want, decode(t, c.Response, m.answer()))
		}
	})
}

// step is a user event of a vector.
type step struct {
	Emit  string `json:"emit"`
	After bool   `json:"after_subscribe"`
	Args  struct {
		Smesher    vectors.Hex       `json:"smesher"`
		Commitment vectors.Hex       `json:"commitment"`
		Challenge  vectors.Hex       `json:"challenge"`
		ATX        vectors.Hex       `json:"atx"`
		Beacon     vectors.Hex       `json:"beacon"`
		Proposal   vectors.Hex       `json:"proposal"`
		Proof      vectors.Hex       `json:"proof"`
		Error      string            `json:"error"`
		URL        string            `json:"url"`
		Round      string            `json:"round_id"`
		Ticks      uint64            `json:"ticks"`
		Current    wire.EpochID      `json:"current"`
		Publish    wire.EpochID      `json:"publish"`
		Epoch      wire.EpochID      `json:"epoch"`
		Layer      wire.LayerID      `json:"layer"`
		SetSize    uint32            `json:"active_set_size"`
		Slots      map[string]uint32 `json:"slots"`
		Until      int64             `json:"until_unix_ms"`
	} `json:"args"`
}

// body is the event of a step; nil where the step before says it too.
func (s *step) body(t testing.TB) events.Body {
	t.Helper()
	a := &s.Args
	var node wire.NodeID
	var challenge wire.Hash32
	copy(node[:], a.Smesher)
	copy(challenge[:], a.Challenge)
	until := time.UnixMilli(a.Until)
	switch s.Emit {
	case "post_service_started":
		return &events.PostServiceStarted{}
	case "post_service_stopped":
		return &events.PostServiceStopped{}
	case "init_start":
		return &events.InitStart{Node: node, Commitment: wire.ATXID(a.Commitment)}
	case "init_complete":
		return &events.InitComplete{Node: node}
	case "init_failed":
		return &events.InitFailed{Node: node, Commitment: wire.ATXID(a.Commitment), Error: a.Error}
	case "post_start":
		return &events.PostStart{Node: node, Challenge: challenge}
	case "post_complete":
		return &events.PostComplete{Node: node, Challenge: challenge}
	case "post_failed":
		return &events.PostComplete{Node: node, Challenge: wire.Hash32{1}, Failed: true}
	case "invalid_post":
		return &events.PostComplete{Node: node, Challenge: wire.Hash32{1}, Failed: true, Invalid: true}
	case "poet_wait_round":
		return &events.PoetWaitRound{Node: node, Current: a.Current, Publish: a.Publish, Until: until}
	case "registered_in_poet":
		return &events.PoetRegistered{Node: node, URL: a.URL, Round: a.Round}
	case "poet_wait_proof":
		return &events.PoetWaitProof{Node: node, Publish: a.Publish, Target: a.Publish + 1, Until: until}
	case "proof_downloaded_from_poet":
		return &events.PoetProofDownloaded{URL: a.URL, Round: a.Round, Ticks: a.Ticks}
	case "best_proof_selected":
		return &events.PoetBestProof{Node: node, URL: a.URL, Round: a.Round, Ticks: a.Ticks}
	case "atx_published":
		return &events.ATXPublished{Node: node, Publish: a.Current, ID: wire.ATXID(a.ATX), Until: until}
	case "beacon":
		return &events.Beacon{Epoch: a.Epoch, Beacon: wire.Beacon(a.Beacon)}
	case "proposal":
		return &events.Proposal{Node: node, ID: wire.ProposalID(a.Proposal), Layer: a.Layer}
	case "own_malfeasance":
		return &events.OwnMalfeasance{Node: node}
	case "eligibilities":
		e := &events.Eligibilities{Node: node, Epoch: a.Epoch, Beacon: wire.Beacon(a.Beacon), ATX: wire.ATXID(a.ATX), ActiveSetSize: a.SetSize}
		for layer, count := range a.Slots {
			var l uint32
			_, err := fmt.Sscan(layer, &l)
			require.NoError(t, err)
			e.Slots = append(e.Slots, events.SlotCount{Layer: wire.LayerID(l), Count: count})
		}
		return e
	case "waiting_for_poet_registration_window", "waiting_for_poet_round_end":
		return nil
	}
	require.Fail(t, "unknown step", s.Emit)
	return nil
}

// tell publishes an event as its service does.
func (g *gateway) tell(t testing.TB, c *bus.Conn, id string, body events.Body) {
	t.Helper()
	out, err := events.New(c.Service(), g.Seed.Now(), id, body)
	require.NoError(t, err)
	require.NoError(t, errors.Join(c.Store(t.Context(), []bus.Stored{{ID: id + body.Kind(), Outgoing: out}})...))
}

// told is what is compared of an event: neither time nor wait.
func told(t testing.TB, e *v1.Event) *v1.Event {
	t.Helper()
	require.True(t, e.Timestamp.IsValid())
	e.Timestamp = nil
	switch d := e.Details.(type) {
	case *v1.Event_PoetWaitRound:
		d.PoetWaitRound.Wait = nil
	case *v1.Event_PoetWaitProof:
		d.PoetWaitProof.Wait = nil
	case *v1.Event_AtxPublished:
		d.AtxPublished.Wait = nil
	}
	return e
}

// script is a case of user events.
type script struct {
	Steps json.RawMessage   `json:"steps"`
	Total int               `json:"events_total"`
	All   []json.RawMessage `json:"stream"`
	First []json.RawMessage `json:"first_epochs"`
	Last  []json.RawMessage `json:"last_epochs"`
}

// steps of the overflow are written as a sentence.
func (s *script) steps(t testing.TB) (out []step) {
	t.Helper()
	if json.Unmarshal(s.Steps, &out) == nil {
		return out
	}
	var first v1.Event
	require.NoError(t, protojson.Unmarshal(s.First[0], &first))
	emit := func(epoch int, after bool) {
		one := step{Emit: "beacon", After: after}
		one.Args.Epoch, one.Args.Beacon = wire.EpochID(epoch), first.GetBeacon().GetBeacon()
		out = append(out, one)
	}
	for epoch := range 130 {
		emit(epoch, false)
	}
	emit(777, true)
	return out
}

func TestUserEvents(top *testing.T) {
	vectors.Run(top, "api/events", func(t *testing.T, s script) {
		g := start(t)
		activation := g.Connect(bus.ActivationService)
		var late []step
		published := uint64(0)
		for i, one := range s.steps(t) {
			if one.After {
				late = append(late, one)
				continue
			}
			if len(one.Args.Proof) > 0 {
				g.write(t, "activation", "INSERT INTO malicious (seq, node_id, received, proof) VALUES (1000, $1, 0, $2)",
					[]byte(one.Args.Smesher), []byte(one.Args.Proof))
			}
			if body := one.body(t); body != nil {
				g.tell(t, activation, fmt.Sprint(i), body)
				published++
			}
		}
		g.caughtUp(t, published)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		stream, err := v1.NewAdminServiceClient(g.conn).EventsStream(ctx, &v1.EventStreamRequest{})
		require.NoError(t, err)
		_, err = stream.Header()
		require.NoError(t, err)
		for i, one := range late {
			g.tell(t, activation, fmt.Sprint("late", i), one.body(t))
		}
		got := make([]*v1.Event, s.Total)
		for i := range got {
			got[i], err = stream.Recv()
			require.NoError(t, err, i)
			got[i] = told(t, got[i])
		}
		check := func(want []json.RawMessage, got []*v1.Event) {
			require.Len(t, got, len(want))
			for i := range want {
				same(t, decode(t, want[i], &v1.Event{}), got[i])
			}
		}
		if s.All != nil {
			check(s.All, got)
			return
		}
		check(s.First, got[:len(s.First)])
		check(s.Last, got[len(got)-len(s.Last):])
	})
}

// caughtUp waits until the hub has told of all that was published, at least n events.
func (g *gateway) caughtUp(t testing.TB, n uint64) {
	t.Helper()
	c := g.Connect(bus.APIService)
	require.Eventually(t, func() bool {
		span, err := bus.SpanOf(t.Context(), c, bus.AllEvents())
		require.NoError(t, err)
		return span.Last >= n && g.service.Hub().Seen() == span.Last
	}, patience, time.Millisecond)
}
