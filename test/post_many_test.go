package test

import (
	"encoding/binary"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation"
	postworker "github.com/smeshery/smeshery/services/post-worker"
)

// BenchmarkProofsOfAHundred has a hundred identities of the standalone network
// initialised, and then proves all of them again and again: a round must take
// less than the network's cycle gap of 30 s.
func BenchmarkProofsOfAHundred(b *testing.B) {
	params := network.Standalone()
	server, err := bus.StartServer(bus.ServerConfig{StoreDir: b.TempDir()})
	require.NoError(b, err)
	b.Cleanup(server.Stop)
	connect := func(service string) *bus.Conn {
		c, err := bus.Connect(bus.Config{Service: service, Server: server}, bus.Deps{})
		require.NoError(b, err)
		b.Cleanup(c.Close)
		return c
	}
	conn := connect(bus.ActivationService)
	require.NoError(b, bus.EnsureStreams(b.Context(), conn, 1))
	log := slog.New(slog.DiscardHandler)
	act, err := activation.New(activation.Config{Network: params, Seed: []byte("seed")}, activation.Deps{
		DB: storetest.Open(b, storetest.URL(b, activation.Schema()), "activation"), Bus: conn, Log: log, Clock: systemClock{},
	})
	require.NoError(b, err)
	running(b, act)
	w, err := postworker.New(postworker.Config{Network: params, DataDir: b.TempDir()}, postworker.Deps{
		Bus: connect(bus.PostWorkerService), Log: log,
	})
	require.NoError(b, err)
	running(b, w)
	client := connect(bus.APIService)

	all := func(kind bus.TaskKind, input codec.Coded) time.Duration {
		began := time.Now()
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				r := bus.SubmitRequest{Kind: kind, Node: wire.NodeID{byte(i), 1}, Input: codec.MustEncode(input), Left: 600_000}
				for {
					reply, err := bus.SubmitTask().Call(b.Context(), client, r)
					if err == nil && reply.State == bus.TaskCompleted {
						return
					}
					if err != nil || reply.State == bus.TaskRefused {
						b.Errorf("%v %s", err, reply.Text)
						return
					}
					<-time.After(500 * time.Millisecond)
				}
			})
		}
		group.Wait()
		return time.Since(began)
	}
	made := all(bus.PostInit, &bus.PostInitInput{Units: 1})
	for round := uint64(1); b.Loop(); round++ {
		var challenge wire.Hash32
		binary.LittleEndian.PutUint64(challenge[:], round)
		took := all(bus.PostProve, &bus.PostProveInput{Challenge: challenge})
		require.Less(b, took, params.Poet.CycleGap)
	}
	b.ReportMetric(made.Seconds(), "init-s")
}
