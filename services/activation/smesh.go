package activation

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/poet/poetclient"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/alarm"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
	"github.com/smeshery/smeshery/services/activation/internal/poets"
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
)

type (
	// Space is where proofs of space come from.
	Space = smeshing.Space
	// SpaceSetup says what data an identity wants.
	SpaceSetup = smeshing.SpaceSetup
	// SpaceInfo describes the data that an identity has.
	SpaceInfo = smeshing.SpaceInfo
	// SpaceProof is a proof of space, with the data that it was made over.
	SpaceProof = smeshing.SpaceProof
)

// Smeshing is how identities live. Zero values are the network's (spec 04 §3).
type Smeshing struct {
	// Off waits for an operator to start smeshing.
	Off bool
	// AutoInit makes data for identities that have none, of Units units; 0 is
	// the network's minimum.
	AutoInit bool
	Units    uint32
	// RequestTimeout bounds requests to PoETs, but for registrations.
	RequestTimeout time.Duration
	// RetryDelay and MaxRetries are those of one request, RetryInterval the pause
	// of an identity after trouble with all PoETs.
	RetryDelay, RetryInterval time.Duration
	MaxRetries                int
	// InfoTTL and PowParamsTTL say how long PoETs' answers are kept.
	InfoTTL, PowParamsTTL time.Duration
	// CertifierRetries, and so on, are those of requests to certifiers.
	CertifierRetries                            int
	CertifierRetryDelay, CertifierMaxRetryDelay time.Duration
	// Registrations is how many identities register with a PoET at a time; 0 is 64.
	Registrations int
	// PowWorkers is how many proofs of work are solved at a time; 0 is half of the
	// cores.
	PowWorkers int
	// Tick is how exactly instants are waited for; 0 is 20 ms.
	Tick time.Duration
}

// shortLayers is below which a network's waits are those of tests.
const shortLayers = time.Minute

func (s *Smeshing) setDefaults(n *network.Params) {
	long := n.LayerDuration >= shortLayers
	or := func(v *time.Duration, slow, fast time.Duration) {
		switch {
		case *v > 0:
		case long:
			*v = slow
		default:
			*v = fast
		}
	}
	or(&s.RequestTimeout, n.Poet.RequestTimeout, n.Poet.RequestTimeout)
	or(&s.RequestTimeout, 10*time.Minute, 12*time.Second)
	or(&s.RetryDelay, 10*time.Second, time.Second)
	or(&s.RetryInterval, n.Hare3.PreroundDelay, time.Second)
	or(&s.InfoTTL, 5*time.Minute, time.Minute)
	or(&s.PowParamsTTL, 5*time.Minute, 10*time.Second)
	or(&s.CertifierRetryDelay, time.Second, time.Second)
	or(&s.CertifierMaxRetryDelay, 30*time.Second, 30*time.Second)
	or(&s.Tick, 20*time.Millisecond, 20*time.Millisecond)
	count := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	count(&s.MaxRetries, map[bool]int{true: 10, false: 3}[long])
	count(&s.CertifierRetries, 5)
	count(&s.Registrations, 64)
	count(&s.PowWorkers, max(1, runtime.GOMAXPROCS(0)/2))
}

// assembleSmeshing makes what identities live by, if there is where proofs come
// from.
func (w *working) assembleSmeshing() error {
	w.alarm = alarm.New(w.deps.Clock, w.cfg.Smeshing.Tick)
	if w.deps.Space == nil {
		return nil
	}
	s, n := &w.cfg.Smeshing, &w.cfg.Network
	var err error
	w.poets, err = poets.New(w.cfg.PoETs, poets.Config{
		PhaseShift: n.Poet.PhaseShift, RequestTimeout: s.RequestTimeout,
		InfoTTL: s.InfoTTL, PowParamsTTL: s.PowParamsTTL, MaxRetries: s.MaxRetries, RetryDelay: s.RetryDelay,
		Certifier: poetclient.CertifierConfig{
			MaxRetries: s.CertifierRetries, RetryDelay: s.CertifierRetryDelay, MaxRetryDelay: s.CertifierMaxRetryDelay,
		},
		Registrations: int64(s.Registrations), PowWorkers: int64(s.PowWorkers),
	}, poets.Deps{
		Now: w.deps.Clock.Now, Store: w.storePoet, Certificates: smeshing.Certificates{DB: w.deps.DB},
		Downloaded: func(address, round string, leaves uint64) { w.smesher.Downloaded(address, round, leaves) },
	})
	if err != nil {
		return err
	}
	w.smesher, err = smeshing.New(smeshing.Config{
		Network: *n, Coinbase: w.cfg.Coinbase, AutoInit: s.AutoInit, Units: s.Units, RetryInterval: s.RetryInterval,
	}, smeshing.Deps{
		DB: w.deps.DB, Space: w.deps.Space, Verify: w.space, Intake: w.intake, PoETs: w.poets,
		Sign: w.guard.Sign, Held: w.guard.Terms, Name: w.names.of, Alarm: w.alarm,
		Log: w.deps.Log, Registry: w.deps.Registry, Wake: w.outbox.Wake, Synced: w.deps.Synced,
	})
	if err == nil && s.Off {
		w.smesher.SetSmeshing(false)
	}
	return err
}

// storePoet keeps a proof that we downloaded ourselves, as one that was fetched.
func (w *working) storePoet(ctx context.Context, ref wire.PoetProofRef, encoded []byte) error {
	verdicts, err := w.intake.Poets(ctx, []intake.PoetItem{{Ref: ref, Blob: encoded}})
	if err == nil {
		err = verdicts[0]
	}
	return err
}

func (w *working) runSmeshing(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error { return w.alarm.Run(ctx) })
	if w.smesher == nil {
		return
	}
	group.Go(func() error {
		defer w.poets.Close()
		return w.smesher.Run(ctx)
	})
	group.Go(func() error { return w.smesher.Regossip(ctx) })
}

// shares are the identities that this process takes for its own to hold.
type shares struct {
	mu     sync.Mutex
	wanted map[wire.NodeID]struct{}
}

// set returns what came and what went.
func (s *shares) set(ids []wire.NodeID) (more, fewer []wire.NodeID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := make(map[wire.NodeID]struct{}, len(ids))
	for _, id := range ids {
		next[id] = struct{}{}
		if _, ok := s.wanted[id]; !ok {
			more = append(more, id)
		}
	}
	for id := range s.wanted {
		if _, ok := next[id]; !ok {
			fewer = append(fewer, id)
		}
	}
	s.wanted = next
	return more, fewer
}

// share finds out which identities are this process's, wants those, and gives
// up the others.
func (w *working) share(ctx context.Context) error {
	mine, err := w.member.Beat(ctx, w.guard.All())
	if err != nil {
		return err
	}
	more, fewer := w.wants.set(mine)
	if len(fewer) > 0 {
		if w.smesher != nil {
			w.smesher.End(fewer)
		}
		if err := w.leases.Resign(ctx, leaseNames(fewer)...); err != nil {
			return fmt.Errorf("give identities up: %w", err)
		}
	}
	w.leases.Want(leaseNames(more)...)
	if len(more) > 0 {
		return w.leases.Round(ctx)
	}
	return nil
}

func leaseNames(ids []wire.NodeID) []string {
	names := make([]string, len(ids))
	for i := range ids {
		names[i] = guard.LeaseName(ids[i])
	}
	return names
}

// keepSharing shares until ctx ends.
func (w *working) keepSharing(ctx context.Context) error {
	tick := time.NewTicker(w.cfg.LeaseTTL / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := w.share(ctx); err != nil && ctx.Err() == nil {
			w.deps.Log.Warn("identities were not shared out", "err", err)
		}
	}
}

// keyNames are the names of key files.
type keyNames struct {
	mu    sync.Mutex
	names map[wire.NodeID]string
}

func (k *keyNames) add(found []keyfile.Identity) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.names == nil {
		k.names = make(map[wire.NodeID]string)
	}
	for i := range found {
		k.names[found[i].Key.NodeID()] = found[i].Name
	}
}

func (k *keyNames) of(id wire.NodeID) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.names[id]
}
