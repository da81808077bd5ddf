package smeshing

import (
	"context"
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/poet/roundstore"
)

// poetServer is a PoET whose rounds work in no time, when somebody asks for their
// proofs. It always makes the same proof for the same members.
type poetServer struct {
	t      testing.TB
	clock  *clock
	leaves uint64
	rest   rest.Server
	url    string

	mu      sync.Mutex
	rounds  map[uint32]*rest.Members
	proofs  map[uint32]*rest.Proof
	change  func(*http.Request, *rest.Response) // lies, if set
	answers map[string]int                      // by first word of the path
}

func startPoet(t testing.TB, c *clock, n *network.Params, leaves uint64) *poetServer {
	p := &poetServer{
		t: t, clock: c, leaves: leaves,
		rounds: make(map[uint32]*rest.Members), proofs: make(map[uint32]*rest.Proof), answers: make(map[string]int),
	}
	public := make([]byte, ed25519.PublicKeySize)
	public[0] = byte(leaves)
	p.rest = rest.Server{
		Info: rest.Info{ServicePubkey: public, PhaseShift: n.Poet.PhaseShift, CycleGap: n.Poet.CycleGap},
		Schedule: poet.Schedule{
			Genesis: n.Genesis.Time, EpochDuration: n.LayerDuration * testLayers(n),
			PhaseShift: n.Poet.PhaseShift, CycleGap: n.Poet.CycleGap,
		},
		Gate:   rest.Gate{Pow: rest.PowRotation{Current: poet.PowParams{Challenge: []byte("pow"), Difficulty: 4}}},
		Rounds: p,
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// ServeHTTP implements http.Handler.
func (p *poetServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	out := p.rest.Handle(rest.Request{Method: r.Method, Path: r.URL.Path, Body: body}, p.rest.Schedule.OpenRound(now), now)
	if p.change != nil {
		p.change(r, &out)
	}
	if out.Status == http.StatusOK {
		p.answers[r.URL.Path[:min(len(r.URL.Path), 10)]]++
	}
	w.WriteHeader(out.Status)
	_, _ = w.Write(out.Body)
}

// lie changes answers from now on.
func (p *poetServer) lie(f func(*http.Request, *rest.Response)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change = f
}

// Register implements rest.Rounds.
func (p *poetServer) Register(r poet.Registration) error {
	open := p.rest.Schedule.OpenRound(p.clock.Now())
	if p.rounds[open] == nil {
		p.rounds[open] = rest.NewMembers(1000)
	}
	_, err := p.rounds[open].Add(r)
	return err
}

// Published implements rest.Rounds.
func (p *poetServer) Published(round uint32) (*rest.Proof, bool, error) {
	if p.clock.Now().Before(p.rest.Schedule.RoundEnd(round)) || p.rounds[round] == nil {
		return nil, false, nil
	}
	if p.proofs[round] == nil {
		closed := p.rounds[round].Close()
		proof := &rest.Proof{Pubkey: p.rest.Info.ServicePubkey}
		for _, m := range closed.Members {
			proof.Members = append(proof.Members, append([]byte{}, m[:]...))
		}
		dir, err := roundstore.Dir(p.t.TempDir())
		require.NoError(p.t, err)
		r, err := roundstore.Open(dir, roundstore.Config{Statement: closed.Statement})
		require.NoError(p.t, err)
		require.NoError(p.t, r.Work(context.Background(), func() bool { return r.Leaves() >= p.leaves }))
		proof.Proof, err = r.Prove(context.Background(), 1)
		require.NoError(p.t, err)
		require.NoError(p.t, r.Close())
		p.proofs[round] = proof
	}
	return p.proofs[round], true, nil
}

func (p *poetServer) asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers[path]
}
