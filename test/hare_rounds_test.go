package test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation"
	"github.com/smeshery/smeshery/services/consensus"
	"github.com/smeshery/smeshery/services/gossip"
	"github.com/smeshery/smeshery/services/state"
)

// BenchmarkHareRounds runs layers of a network of one node, with hare's rounds at
// 100 ms and everything behind them: the guard's transactions in Postgres, streams,
// gossip. An operation is a layer. The times are from the moment that a round is
// due until its own messages have been judged here (handled), and until gossip
// publishes one of them (out). Run it with -benchtime 10x or so.
func BenchmarkHareRounds(b *testing.B) {
	for _, identities := range []int{100, 1000} {
		b.Run(fmt.Sprint(identities), func(b *testing.B) { hareRounds(b, identities) })
	}
}

// warm is how many layers go by before the first that is measured.
const warm = 2

// rounds keeps what the services tell of hare. It is their log and gossip's network.
type rounds struct {
	slog.Handler
	params network.Params

	mu           sync.Mutex
	handled, out []time.Duration
	said, late   int64
	warned       map[string]int
}

func hareRounds(b *testing.B, identities int) {
	params := network.Standalone()
	params.LayersPerEpoch = 1000
	first := params.FirstEffectiveGenesis() + 1
	begin := time.Now().Add(10 * time.Second)
	params.Genesis.Time = begin.Add(-time.Duration(first) * params.LayerDuration)
	r := &rounds{Handler: slog.DiscardHandler, params: params, warned: make(map[string]int)}
	registry := r.serve(b, identities, first)
	layers := warm
	sleepUntil(begin.Add(warm*params.LayerDuration - 500*time.Millisecond))
	r.mu.Lock()
	r.handled, r.out, r.said, r.late = nil, nil, 0, 0
	r.mu.Unlock()
	failed, cpu := failures(b, registry), cpuTime()
	for b.Loop() {
		layers++
		sleepUntil(begin.Add(time.Duration(layers)*params.LayerDuration - 500*time.Millisecond))
	}
	layers -= warm
	cpu = cpuTime() - cpu
	r.mu.Lock()
	defer r.mu.Unlock()
	percentiles(b, "handled", r.handled)
	percentiles(b, "out", r.out)
	b.ReportMetric(cpu.Seconds()/float64(layers), "cpu-s/layer")
	b.ReportMetric(float64(r.said)/float64(layers), "said/layer")
	b.ReportMetric(float64(r.late)/float64(layers), "late/layer")
	b.ReportMetric(float64(failures(b, registry)-failed), "failed-layers")
	b.ReportMetric(0, "ns/op")
	b.Log(r.warned)
}

// serve runs a node whose identities have had ATXs since before the first layer.
func (r *rounds) serve(b *testing.B, identities int, first wire.LayerID) *prometheus.Registry {
	dir := filepath.Join(b.TempDir(), keyfile.Dir)
	url := storetest.URL(b, consensus.Schema(), activation.Schema(), state.Schema())
	admin := storetest.Open(b, url, "")
	for i := range identities {
		var seed [32]byte
		binary.BigEndian.PutUint32(seed[:], uint32(i+1))
		key := signing.NewKey(seed)
		require.NoError(b, keyfile.Store(dir, keyfile.Identity{Name: fmt.Sprintf("%04d.key", i), Key: key}))
		r.activate(b, admin, int64(i+1), key.NodeID(), first)
	}
	server, err := bus.StartServer(bus.ServerConfig{StoreDir: b.TempDir()})
	require.NoError(b, err)
	b.Cleanup(server.Stop)
	registry, log := prometheus.NewRegistry(), slog.New(r)
	connect := func(service string) *bus.Conn {
		c, err := bus.Connect(bus.Config{Service: service, Server: server}, bus.Deps{})
		require.NoError(b, err)
		b.Cleanup(c.Close)
		return c
	}
	conn := connect(bus.GossipService)
	require.NoError(b, bus.EnsureStreams(b.Context(), conn, 1))
	g, err := gossip.New(gossip.Config{}, gossip.Deps{Bus: conn, Log: log, Network: r})
	require.NoError(b, err)
	running(b, g)
	act, err := activation.New(activation.Config{Network: r.params, Seed: []byte("seed"), Identities: dir}, activation.Deps{
		DB: storetest.Open(b, url, "activation"), Bus: connect(bus.ActivationService), Log: log, Clock: systemClock{},
	})
	require.NoError(b, err)
	running(b, act)
	st, err := state.New(state.Config{Network: r.params}, state.Deps{
		DB: storetest.Open(b, url, "state"), Bus: connect(bus.StateService), Log: log,
	})
	require.NoError(b, err)
	running(b, st)
	c, err := consensus.New(consensus.Config{Network: r.params, Live: true, Standalone: true}, consensus.Deps{
		DB: storetest.Open(b, url, "consensus"), Bus: connect(bus.ConsensusService), Log: log, Registry: registry, Now: time.Now,
	})
	require.NoError(b, err)
	running(b, c)
	return registry
}

// activate stores an ATX that counts from the first layer's epoch on.
func (r *rounds) activate(b *testing.B, admin *store.DB, seq int64, id wire.NodeID, first wire.LayerID) {
	epoch := r.params.Epoch(first)
	atx := wire.Sum(id[:])
	received := r.params.Genesis.Time.Add(time.Duration(r.params.FirstLayer(epoch-1)) * r.params.LayerDuration)
	_, err := admin.Exec(b.Context(), `INSERT INTO activation.atxs (seq, id, publish_epoch, node_id, coinbase, weight, base_height,
		tick_count, sequence, vrf_nonce, effective_units, received, validity, version) VALUES ($1, $2, $3, $4, $5, 100, 0, 10, 0, 3, 1, $6, 1, 1)`,
		seq, atx[:], int64(epoch-1), id[:], make([]byte, 24), received.UnixNano())
	require.NoError(b, err)
}

// Publish is gossip's network.
func (r *rounds) Publish(topic bus.GossipTopic, body []byte) error {
	if topic != bus.TopicHare3 {
		return nil
	}
	now := time.Now()
	m, err := wire.DecodeHare(body, false)
	if err != nil {
		return err
	}
	round := r.params.Hare3.PreroundDelay
	if abs := m.Body.Absolute(); abs > 0 {
		round += time.Duration(abs-1) * r.params.Hare3.RoundDuration
	}
	due := r.params.Genesis.Time.Add(time.Duration(m.Body.Layer)*r.params.LayerDuration + round)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out = append(r.out, now.Sub(due))
	return nil
}

// Enabled is slog.Handler.
func (r *rounds) Enabled(context.Context, slog.Level) bool { return true }

// Handle is slog.Handler.
func (r *rounds) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if record.Level >= slog.LevelWarn {
		r.warned[record.Message]++
	}
	if record.Message != "own hare messages" {
		return nil
	}
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "after":
			r.handled = append(r.handled, a.Value.Duration())
		case "messages":
			r.said += a.Value.Int64()
		case "late":
			r.late += a.Value.Int64()
		}
		return true
	})
	return nil
}

// WithAttrs is slog.Handler.
func (r *rounds) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup is slog.Handler.
func (r *rounds) WithGroup(string) slog.Handler { return r }

// failures are the layers that hare gave up.
func failures(b *testing.B, registry *prometheus.Registry) int {
	families, err := registry.Gather()
	require.NoError(b, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "smeshery_consensus_hare_layers_total" && l.GetValue() == "failed" {
					return int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return 0
}

func percentiles(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for _, q := range []float64{0, 50, 99} {
		ms := math.NaN()
		if n := len(took); n > 0 {
			ms = float64(took[min(int(float64(n)*q/100), n-1)].Microseconds()) / 1000
		}
		b.ReportMetric(ms, fmt.Sprintf("%s-p%.0f-ms", what, q))
	}
}

func sleepUntil(at time.Time) { <-time.After(time.Until(at)) }

// cpuTime is what this process spent; Postgres is not in it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
