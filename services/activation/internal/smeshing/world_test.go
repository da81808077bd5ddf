package smeshing

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/alarm"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
	"github.com/smeshery/smeshery/services/activation/internal/poets"
)

var schema = store.Schema{Name: "activation", Parts: []store.Part{outbox.Part(), lease.Part(), db.Part()}}

// clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time { return time.Unix(0, c.at.Load()) }

func (c *clock) set(t time.Time) { c.at.Store(t.UnixNano()) }

func testLayers(n *network.Params) time.Duration { return time.Duration(n.LayersPerEpoch) }

// testNetwork is fastnet with labels that cost nothing.
func testNetwork() network.Params {
	n := network.Fastnet()
	n.Genesis.Time = time.Unix(1_700_000_000, 0).UTC()
	n.RegossipATXInterval = 0
	return n
}

func postParams(n *network.Params) post.Params {
	return post.Params{
		MinNumUnits: n.Post.MinNumUnits, MaxNumUnits: n.Post.MaxNumUnits, LabelsPerUnit: n.Post.LabelsPerUnit,
		K1: n.Post.K1, K2: n.Post.K2, K3: n.Post.K3, PowDifficulty: n.Post.PowDifficulty,
		Scrypt: post.Scrypt{N: uint64(n.Post.ScryptN), R: 1, P: 1},
	}
}

// site is what outlives processes: PoETs, disks, and time.
type site struct {
	network network.Params
	clock   *clock
	poets   []*poetServer
	disk    *disk
	keys    []signing.Key
}

func newSite(t testing.TB, n network.Params, identities int, leaves ...uint64) *site {
	p := &site{network: n, clock: new(clock), disk: newDisk(t, postParams(&n))}
	p.clock.set(n.Genesis.Time)
	for _, l := range leaves {
		p.poets = append(p.poets, startPoet(t, p.clock, &n, l))
	}
	for i := range identities {
		p.keys = append(p.keys, signing.NewKey([32]byte{byte(i), byte(i >> 8), 9}))
	}
	return p
}

func (p *site) addresses() (out []string) {
	for _, s := range p.poets {
		out = append(out, s.url)
	}
	return out
}

// process is one activation's smeshing.
type process struct {
	*site
	*Smesher
	db     *store.DB
	leases *lease.Holder
	guard  *guard.Guard
	stop   func()
}

func (p *site) start(t testing.TB, db *store.DB, change func(*Config), hook func(string) error) *process {
	t.Helper()
	return p.startWith(t, db, p.disk, change, hook)
}

func (p *site) startWith(t testing.TB, db *store.DB, space Space, change func(*Config), hook func(string) error) *process {
	t.Helper()
	metrics, err := measure.New(nil)
	require.NoError(t, err)
	leases, err := lease.New(db, lease.Config{Holder: "test", Instance: "one", TTL: time.Hour}, nil)
	require.NoError(t, err)
	prefix := p.network.Genesis.ID()
	g := guard.New(db, leases, prefix[:], p.keys, metrics)
	for _, k := range p.keys {
		leases.Want(guard.LeaseName(k.NodeID()))
	}
	require.NoError(t, leases.Round(t.Context()))
	_, err = db.Exec(t.Context(), "DELETE FROM steps") // what went before does not move the clock
	require.NoError(t, err)
	verifier, err := post.NewVerifier(postParams(&p.network), noPow{}, 2)
	require.NoError(t, err)
	verify := intake.CPU{Verifier: verifier, Seed: []byte("seed")}
	in := intake.New(db, intake.Config{
		Rules: &atx.Rules{Params: atx.ParamsOf(&p.network), Verifier: signing.NewVerifier(prefix[:])},
		Space: verify, Own: g.Own, Metrics: metrics,
	})
	w := &process{site: p, db: db, leases: leases, guard: g}
	servers, err := poets.New(p.addresses(), poets.Config{
		PhaseShift: p.network.Poet.PhaseShift, RequestTimeout: 5 * time.Second, InfoTTL: time.Minute, PowParamsTTL: time.Minute,
		MaxRetries: 1, RetryDelay: time.Millisecond, Registrations: 16, PowWorkers: 2,
	}, poets.Deps{
		Now: p.clock.Now, Certificates: Certificates{DB: db},
		Store: func(ctx context.Context, ref wire.PoetProofRef, encoded []byte) error {
			verdicts, err := in.Poets(ctx, []intake.PoetItem{{Ref: ref, Blob: encoded}})
			if err == nil {
				err = verdicts[0]
			}
			return err
		},
		Downloaded: func(a, r string, l uint64) { w.Downloaded(a, r, l) },
	})
	require.NoError(t, err)
	bell := alarm.New(p.clock, time.Millisecond)
	cfg := Config{Network: p.network, Coinbase: wire.Address{1, 2, 3}, AutoInit: true, RetryInterval: time.Second}
	if change != nil {
		change(&cfg)
	}
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("SMESHING_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	w.Smesher, err = New(cfg, Deps{
		DB: db, Space: space, Verify: verify, Intake: in, PoETs: servers, Sign: g.Sign,
		Held: g.Terms, Alarm: bell, Log: log, Wake: func() {},
	})
	require.NoError(t, err)
	if hook != nil {
		w.step = hook
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = bell.Run(ctx) })
	group.Go(func() { _ = w.Run(ctx) })
	w.stop = sync.OnceFunc(func() { cancel(); group.Wait(); servers.Close() })
	t.Cleanup(w.stop)
	return w
}

// drive moves the clock from one wait to the next until done. It moves only when
// all identities wait for it.
func (w *process) drive(t testing.TB, done func() bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		if done() {
			return true
		}
		if next, ok := w.next(t); ok {
			w.clock.set(next)
		}
		return false
	}, 2*time.Minute, time.Millisecond)
}

// next is when something happens, if everybody waits for the clock.
func (w *process) next(t testing.TB) (time.Time, bool) {
	steps, err := read.Steps(t.Context(), w.db)
	require.NoError(t, err)
	now := w.clock.Now()
	var next time.Time
	for _, s := range steps {
		at := now.Add(20 * time.Millisecond)
		switch waits := s.Step == read.StepWaitWindow || s.Step == read.StepWaitPoet || s.Step == read.StepWaitPublish; {
		case s.Note != "":
			at = now.Add(500 * time.Millisecond)
		case !waits:
			return now, false
		case s.Until.After(now):
			at = s.Until
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, len(steps) == len(w.keys)
}

// own is an ATX of the place's identities, as stored.
type own struct {
	Node    wire.NodeID
	Publish wire.EpochID
	Blob    string
}

func (w *process) atxs(t testing.TB) (out []own) {
	rows, err := w.db.Query(t.Context(), "SELECT node_id, publish_epoch, blob FROM atxs ORDER BY publish_epoch, node_id")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var node, blob []byte
		var publish int64
		require.NoError(t, rows.Scan(&node, &publish, &blob))
		out = append(out, own{wire.NodeID(node), wire.EpochID(publish), string(blob)})
	}
	return out
}

func (w *process) count(t testing.TB, sql string) (n int) {
	require.NoError(t, w.db.QueryRow(t.Context(), "SELECT count(*) FROM "+sql).Scan(&n))
	return n
}

// published counts what went to gossip.
func (w *process) published(t testing.TB) int {
	return w.count(t, "outbox WHERE subject = 'gossip.out.atx'")
}

// sane checks that nobody equivocated and nothing was refused.
func (w *process) sane(t testing.TB) {
	require.Zero(t, w.count(t, "audit WHERE event = 'refused'"))
	require.Zero(t, w.count(t, "malicious"))
	require.Equal(t, w.count(t, "atxs"), w.count(t, fmt.Sprintf("signed_slots WHERE kind = %d", signing.SlotATX)))
}

func newDB(t testing.TB) *store.DB { return storetest.DB(t, schema) }
