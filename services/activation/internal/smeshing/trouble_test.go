package smeshing

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/post/certifier"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// What PoETs do wrong costs nothing as long as one of them does it right.
func TestPoetsAwayOrLying(t *testing.T) {
	for name, lie := range map[string]func(*http.Request, *rest.Response){
		"away":      func(_ *http.Request, r *rest.Response) { r.Status, r.Body = 503, nil },
		"no json":   func(_ *http.Request, r *rest.Response) { r.Body = []byte("<html>") },
		"forbidden": func(_ *http.Request, r *rest.Response) { r.Status = 403 },
		"other phase shift": func(q *http.Request, r *rest.Response) {
			if q.URL.Path == "/v1/info" {
				r.Body = (&rest.Info{ServicePubkey: make([]byte, 32), PhaseShift: time.Hour}).Body()
			}
		},
		"never authorised": func(q *http.Request, r *rest.Response) {
			if q.URL.Path == "/v1/submit" {
				r.Status = 401
			}
		},
		"no proof": func(q *http.Request, r *rest.Response) {
			if strings.HasPrefix(q.URL.Path, "/v1/proofs") {
				r.Status = 404
			}
		},
		"wrong work": changeProof(func(p *rest.Proof) { p.Proof.LeafCount *= 1000 }),
		"wrong root": changeProof(func(p *rest.Proof) { p.Proof.Root[0] ^= 1 }),
		"challenges left out": changeProof(func(p *rest.Proof) {
			p.Members = [][]byte{make([]byte, 32)}
		}),
		"a proof too large": changeProof(func(p *rest.Proof) {
			p.Proof.ProofNodes = make([][]byte, 10_000)
		}),
		"a round from the future": func(q *http.Request, r *rest.Response) {
			if q.URL.Path == "/v1/submit" {
				r.Body = (&rest.Registered{RoundID: "99", Remaining: 100 * time.Hour}).Body()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newSite(t, testNetwork(), 1, 900, 300)
			p.poets[0].lie(lie)
			w := p.start(t, newDB(t), nil, nil)
			w.drive(t, func() bool { return w.published(t) == 2 })
			require.Equal(t, 2, w.count(t, "atxs WHERE tick_count = 3 AND publish_epoch <= 2"))
			w.sane(t)
		})
	}
}

func changeProof(f func(*rest.Proof)) func(*http.Request, *rest.Response) {
	return func(q *http.Request, r *rest.Response) {
		if !strings.HasPrefix(q.URL.Path, "/v1/proofs") || r.Status != 200 {
			return
		}
		p, err := rest.ParseProof(r.Body)
		if err != nil {
			panic(err)
		}
		f(&p)
		r.Body = p.Body()
	}
}

// Without any PoET an epoch is missed, and the next one is not.
func TestAllPoetsAwayForAnEpoch(t *testing.T) {
	p := newSite(t, testNetwork(), 1, 300)
	w := p.start(t, newDB(t), nil, nil)
	w.drive(t, func() bool { return w.published(t) == 1 })
	p.poets[0].lie(func(_ *http.Request, r *rest.Response) { r.Status = 500 })
	until := w.calendar.RoundStart(3)
	w.drive(t, func() bool { return p.clock.Now().After(until) })
	p.poets[0].lie(nil)
	w.drive(t, func() bool { return w.published(t) >= 2 })
	list := w.atxs(t)
	require.EqualValues(t, 1, list[0].Publish)
	require.Greater(t, list[1].Publish, wire.EpochID(2))
	w.sane(t)
}

// A proof of space that the network would not take is not published.
func TestProofsOfSpaceThatAreNone(t *testing.T) {
	p := newSite(t, testNetwork(), 1, 300)
	lies := []func(*SpaceProof) error{
		func(*SpaceProof) error { return errors.New("disk is broken") },
		func(s *SpaceProof) error { s.Info.Nonce = nil; return nil },
		func(s *SpaceProof) error { s.Info.Node[0]++; return nil },
		func(s *SpaceProof) error { s.Info.LabelsPerUnit++; return nil },
		func(s *SpaceProof) error { s.Info.Commitment[0]++; return nil },
		func(s *SpaceProof) error { s.Post.Indices = s.Post.Indices[1:]; return nil },
	}
	asked := 0
	p.disk.lie(func(s *SpaceProof) error {
		if asked++; asked <= 2*len(lies) {
			return lies[(asked-1)%len(lies)](s)
		}
		return nil
	})
	w := p.start(t, newDB(t), nil, nil)
	w.drive(t, func() bool { return w.published(t) >= 1 })
	require.Greater(t, asked, 2*len(lies))
	require.Positive(t, w.count(t, "outbox WHERE subject = 'events.activation.post_complete'"))
	w.sane(t)
}

// An identity that was away over its deadlines goes on with the next epoch.
func TestAwayOverADeadline(t *testing.T) {
	for _, step := range []string{"after challenge", "after registration", "after poet proof", "after nipost"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			p := newSite(t, testNetwork(), 1, 300)
			db, died, once := newDB(t), make(chan struct{}), sync.Once{}
			w := p.start(t, db, nil, func(place string) error {
				if place == step {
					once.Do(func() { close(died) })
					return errCrash
				}
				return nil
			})
			w.drive(t, func() bool {
				select {
				case <-died:
					return true
				default:
					return false
				}
			})
			w.stop()
			p.clock.set(w.calendar.EpochStart(4).Add(time.Second))
			w = p.start(t, db, nil, nil)
			w.drive(t, func() bool { return w.published(t) >= 2 })
			list := w.atxs(t)
			require.Greater(t, list[0].Publish, wire.EpochID(4))
			require.Equal(t, list[0].Publish+1, list[1].Publish)
			w.sane(t)
		})
	}
}

// The guard's refusal costs an epoch, nothing else.
func TestASlotThatIsTaken(t *testing.T) {
	p := newSite(t, testNetwork(), 1, 300)
	db := newDB(t)
	id := p.keys[0].NodeID()
	_, err := db.Exec(t.Context(), "INSERT INTO signed_slots (node_id, kind, major, minor, hash, term) VALUES ($1, $2, 1, 0, $3, 1)",
		id[:], int(signing.SlotATX), make([]byte, 32))
	require.NoError(t, err)
	w := p.start(t, db, nil, nil)
	w.drive(t, func() bool { return w.published(t) >= 1 })
	require.Greater(t, w.atxs(t)[0].Publish, wire.EpochID(1))
	require.Equal(t, 1, w.count(t, "audit WHERE event = 'refused'"))
}

// A certifier's certificate takes the place of proofs of work.
func TestCertificates(t *testing.T) {
	p := newSite(t, testNetwork(), 1, 300)
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	asked := atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		var request certifier.Request
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		data, signature := certifier.New(request.Metadata.NodeID, time.Time{}).Sign(key)
		_ = json.NewEncoder(w).Encode(certifier.Response{Certificate: data, Signature: signature, PublicKey: key.Public().(ed25519.PublicKey)})
	}))
	defer server.Close()
	public := key.Public().(ed25519.PublicKey)
	p.poets[0].rest.Info.Certifier = &rest.CertifierInfo{URL: server.URL, Pubkey: public}
	p.poets[0].rest.Gate.Certifier = &rest.TrustedKeys{Default: public}
	p.poets[0].rest.Gate.Pow.Current.Difficulty = 255 // nobody solves it
	db := newDB(t)
	w := p.start(t, db, nil, nil)
	w.drive(t, func() bool { return w.published(t) == 2 })
	require.EqualValues(t, 1, asked.Load(), "it is kept")
	require.Zero(t, p.poets[0].asked("/v1/pow_params"[:10]))
	w.stop()
	// One that the PoET does not take any more is replaced.
	_, err := db.Exec(t.Context(), "UPDATE certificates SET signature = $1", make([]byte, 64))
	require.NoError(t, err)
	w = p.start(t, db, nil, nil)
	w.drive(t, func() bool { return w.published(t) == 3 })
	require.EqualValues(t, 2, asked.Load())
	w.sane(t)
}

// Many identities ask PoETs for a round's proof once, and search once.
func TestHundredIdentities(t *testing.T) {
	const many = 100
	p := newSite(t, testNetwork(), many, 300)
	w := p.start(t, newDB(t), nil, nil)
	w.drive(t, func() bool { return w.published(t) >= 2*many })
	require.Equal(t, many, w.count(t, "atxs WHERE publish_epoch = 1"))
	require.Equal(t, many, w.count(t, "atxs WHERE publish_epoch = 2"))
	require.LessOrEqual(t, p.poets[0].asked("/v1/proofs"), 3)
	require.Equal(t, 1, w.count(t, "(SELECT DISTINCT base_height FROM atxs WHERE publish_epoch = 2) AS b"))
	w.sane(t)
}

func TestRegossip(t *testing.T) {
	n := testNetwork()
	n.RegossipATXInterval = 16 * time.Second
	p := newSite(t, n, 3, 300)
	w := p.start(t, newDB(t), nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	w.drive(t, func() bool { return w.published(t) == 3 })
	go func() { ended <- w.Regossip(ctx) }()
	require.Eventually(t, func() bool {
		p.clock.set(p.clock.Now().Add(time.Second / 4))
		return w.published(t) >= 6
	}, 20*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

// What an identity that waits costs.
func BenchmarkWaitingIdentities(b *testing.B) {
	const many = 1000
	n := testNetwork()
	n.Genesis.Time = time.Unix(1_700_000_000, 0)
	p := newSite(b, n, many, 300)
	p.disk = nil
	db := newDB(b)
	for i := range p.keys {
		id := p.keys[i].NodeID()
		_, err := db.Exec(b.Context(), `INSERT INTO initial_posts VALUES ($1, 0, '', 0, $2, 2, $2, 0)`, id[:], make([]byte, 32))
		require.NoError(b, err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := p.startWith(b, db, ready{}, nil, nil)
	require.Eventually(b, func() bool {
		return w.count(b, "steps WHERE step = 'waiting_for_window'") == many
	}, time.Minute, 10*time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc+after.StackInuse-before.HeapAlloc-before.StackInuse) / many
	for b.Loop() {
		w.compare(b.Context())
	}
	b.ReportMetric(each, "B/identity")
}

// ready has data for everybody.
type ready struct{}

func (ready) Info(context.Context, wire.NodeID) (SpaceInfo, bool, error) {
	return SpaceInfo{}, true, nil
}

func (ready) Initialize(context.Context, SpaceSetup) (SpaceInfo, error) { return SpaceInfo{}, nil }

func (ready) Prove(context.Context, wire.NodeID, wire.Hash32, time.Time) (SpaceProof, error) {
	return SpaceProof{}, errors.New("no disk")
}
