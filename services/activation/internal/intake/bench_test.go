package intake

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// BenchmarkHandle takes epochs of ATXs from bytes to rows on a Postgres with
// durable settings, with everything but proofs of space verified. One batch is in
// work at a time and one processor is allowed, so that a second of the clock holds
// no more than one core's work of ours and of Postgres.
func BenchmarkHandle(b *testing.B) {
	for _, size := range []int{256, 1024} {
		b.Run("batch="+strconv.Itoa(size), func(b *testing.B) { benchmarkHandle(b, size) })
	}
}

func benchmarkHandle(b *testing.B, size int) {
	dir := b.TempDir()
	server := storetest.Server(b, dir, nil)
	url := server.URL(server.Database())
	require.NoError(b, store.Migrate(b.Context(), url, schema))
	database := storetest.Open(b, url, "activation")
	c := newChain(8192)
	in := c.intake(b, database, anything{})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	atxs := 0
	var ours, theirs, wall time.Duration
	for b.Loop() {
		b.StopTimer()
		p, items := c.next(b)
		require.NoError(b, db.StorePoets(b.Context(), database, []db.PoetProof{p}))
		startOurs, startTheirs, start := cpu(b), postgresCPU(b, database), time.Now()
		b.StartTimer()
		for from := 0; from < len(items); from += size {
			out, err := in.Handle(b.Context(), items[from:min(from+size, len(items))], c.epoch)
			require.NoError(b, err)
			require.NoError(b, out[0].Err)
		}
		b.StopTimer()
		wall += time.Since(start)
		ours, theirs = ours+cpu(b)-startOurs, theirs+postgresCPU(b, database)-startTheirs
		atxs += len(items)
		b.StartTimer()
	}
	b.StopTimer()
	var stored int
	require.NoError(b, database.QueryRow(b.Context(), "SELECT count(*) FROM atxs").Scan(&stored))
	require.Equal(b, atxs, stored)
	b.ReportMetric(float64(atxs)/wall.Seconds(), "atx/s")
	b.ReportMetric(float64(ours.Microseconds())/float64(atxs), "own-us/atx")
	b.ReportMetric(float64(theirs.Microseconds())/float64(atxs), "pg-us/atx")
	b.ReportMetric(0, "ns/op")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// postgresCPU is the time of processors that the connections of the pool took.
func postgresCPU(b *testing.B, database *store.DB) (sum time.Duration) {
	for _, pid := range texts[int32](b, database, "SELECT pid FROM pg_stat_activity WHERE datname = current_database()") {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/stat")
		require.NoError(b, err)
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
		for _, ticks := range fields[11:13] {
			n, err := strconv.ParseInt(ticks, 10, 64)
			require.NoError(b, err)
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}
