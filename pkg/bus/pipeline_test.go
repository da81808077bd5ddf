package bus_test

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
)

// BenchmarkStoreFromGossip is the whole way of an object of 1 KiB: request,
// batch, one durable insert, verdict; on a server with production settings.
func BenchmarkStoreFromGossip(b *testing.B) {
	objects := store.Schema{Name: "activation", Parts: []store.Part{{
		Name: "activation",
		Files: fstest.MapFS{"0001_init.up.sql": {Data: []byte(
			"CREATE TABLE object (id bytea PRIMARY KEY, body bytea NOT NULL)")}},
	}}}
	pg := storetest.Server(b, b.TempDir(), nil)
	require.NoError(b, store.Migrate(b.Context(), pg.URL(pg.Database()), objects))
	db := storetest.Open(b, pg.URL(pg.Database()), "activation")
	s := server(b)
	owner, gossip := connect(b, s, bus.ActivationService), connect(b, s, bus.GossipService)
	_, err := bus.ServeBatch(b.Context(), owner, bus.GossipIn(bus.TopicATX), bus.Queue{Length: 4096, Full: actor.Refuse, Workers: 2},
		func(ctx context.Context, calls []*bus.Call[bus.PeerMessage, bus.Judgement]) {
			_, err := db.Exec(ctx, "INSERT INTO object SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT DO NOTHING",
				store.Column(calls, func(c **bus.Call[bus.PeerMessage, bus.Judgement]) []byte { return (*c).Request.Body[:8] }),
				store.Column(calls, func(c **bus.Call[bus.PeerMessage, bus.Judgement]) []byte { return (*c).Request.Body }))
			for _, call := range calls {
				if err != nil {
					call.Fail(err)
				} else {
					call.Reply(bus.Judgement{Verdict: bus.Accept})
				}
			}
		})
	require.NoError(b, err)
	var n atomic.Uint64
	b.SetParallelism(512)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := make([]byte, 1024)
			binary.BigEndian.PutUint64(body, n.Add(1))
			if _, err := bus.GossipIn(bus.TopicATX).Call(b.Context(), gossip, bus.PeerMessage{Body: body}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}
