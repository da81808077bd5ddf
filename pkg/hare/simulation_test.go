package hare_test

import (
	"container/heap"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
)

var simulationSeed = flag.Uint64("hare.seed", 0, "run the simulation with this seed only")

// world is a network of nodes on a clock that the test moves by hand. Messages
// travel with random delays; some are lost on some links.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	loss    float64
	hop     time.Duration // longest delay of a link
	nodes   []*simNode
	travels travels
	serial  int
	all     []hare.StoredProposal
	seats   map[wire.NodeID]uint16
}

// simNode is a node with one identity. Equivocators say two things each round.
type simNode struct {
	*hare.Hare
	*open
	world       *world
	index       int
	id          wire.NodeID
	equivocates bool
	coins       int
	results     [][]wire.ProposalID
	ended       bool
	err         error
}

// travel is a message on a link.
type travel struct {
	at     time.Time
	serial int
	to     int
	from   int
	raw    []byte
}

type travels []travel

func (q travels) Len() int { return len(q) }
func (q travels) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].serial < q[j].serial
}
func (q travels) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *travels) Push(x any)   { *q = append(*q, x.(travel)) }
func (q *travels) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (n *simNode) Count(s eligibility.Seat) (uint16, error) { return n.world.seats[s.Node], nil }
func (n *simNode) Validate(s eligibility.Seat, claimed uint16) (bool, error) {
	return claimed == n.world.seats[s.Node], nil
}

func (w *world) send(from int, to int, message []byte, delay time.Duration) {
	w.serial++
	heap.Push(&w.travels, travel{w.now.Add(delay), w.serial, to, from, message})
}

// gossip sends to everybody, as far as the links hold.
func (w *world) gossip(from int, message []byte) {
	for to := range w.nodes {
		if to != from && w.rng.Float64() >= w.loss {
			w.send(from, to, message, time.Duration(w.rng.Int64N(int64(w.hop))))
		}
	}
}

func (n *simNode) do(effects []hare.Effect) {
	for _, effect := range effects {
		switch e := effect.(type) {
		case hare.Prove:
			sum := wire.Sum(n.id[:], e.Message)
			var proof wire.VrfSignature
			copy(proof[48:], sum[:])
			n.do(n.Proofs(e.Layer, e.At, []hare.Proof{{Node: n.id, Proof: proof}}))
		case hare.Sign:
			n.speak(e.Messages[0])
		case hare.Publish:
			n.world.gossip(n.index, e.Message)
		case hare.Equivocation:
			require.True(n.world.t, n.world.nodes[e.Node[3]].equivocates, "an honest node was accused")
			n.malicious[e.Node] = true
		case hare.WeakCoin:
			n.coins++
		case hare.Result:
			n.results = append(n.results, e.Proposals)
		case hare.Ended:
			n.ended, n.err = true, e.Err
		}
	}
}

func (n *simNode) speak(m *wire.HareMessage) {
	if !n.equivocates {
		n.do(n.Signed(m).Effects)
		return
	}
	for _, variant := range []*wire.HareMessage{n.twist(m), n.twist(m)} {
		wired, err := n.WireForm(variant)
		require.NoError(n.world.t, err)
		for to := range n.world.nodes {
			if to != n.index && n.world.rng.IntN(2) == 0 {
				delay := n.world.rng.Int64N(int64(3 * time.Second))
				n.world.send(n.index, to, raw(wired), time.Duration(delay))
			}
		}
	}
}

// twist says something else than the protocol wants.
func (n *simNode) twist(m *wire.HareMessage) *wire.HareMessage {
	out := *m
	var subset []wire.ProposalID
	for _, p := range n.proposals.Layer(openLayer) {
		if n.world.rng.IntN(3) > 0 {
			subset = append(subset, p.ID)
		}
	}
	if m.Body.Value.Reference != nil {
		out.Body.Value.Reference = new(hare.ListReference(subset))
	} else {
		out.Body.Value.Proposals = subset
	}
	return &out
}

func (w *world) receive(tr travel) {
	n := w.nodes[tr.to]
	step := n.Handle(hare.Peer(rune(tr.from)), tr.raw)
	if step.Verdict == hare.Pending {
		request := step.Effects[0].(hare.Fetch).Request
		if answer, ok := w.nodes[tr.from].Serve(request[:]); ok {
			step = n.Fetched(step.Ticket, answer, nil)
		} else {
			step = n.Fetched(step.Ticket, nil, errPeer)
		}
	}
	n.do(step.Effects)
	if step.Verdict == hare.Accept {
		w.gossip(tr.to, tr.raw)
	}
}

// run moves the clock from event to event until every session is over.
func (w *world) run() {
	for {
		next, ok := time.Time{}, false
		for _, n := range w.nodes {
			if at, live := n.NextTick(); live && (!ok || at.Before(next)) {
				next, ok = at, true
			}
		}
		if !ok {
			return
		}
		for len(w.travels) > 0 && w.travels[0].at.Before(next) {
			tr := heap.Pop(&w.travels).(travel)
			w.now = tr.at
			w.receive(tr)
		}
		w.now = next
		for _, n := range w.nodes {
			n.do(n.Tick(w.now))
		}
	}
}

type simulation struct {
	nodes, equivocators int
	loss                float64
	hare4               bool
	missing             float64 // chance that a node lacks a proposal
}

func (s simulation) build(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 5)), now: genesisTime, loss: s.loss,
		hop: 300 * time.Millisecond, seats: map[wire.NodeID]uint16{},
	}
	for i := range 6 {
		w.all = append(w.all, openProposal(byte(i+1)))
	}
	p := openParams(s.hare4)
	p.Committee = 0
	for i := range s.nodes {
		n := &simNode{open: newOpen(), world: w, index: i, equivocates: i < s.equivocators}
		binary.BigEndian.PutUint32(n.id[:], uint32(i))
		w.seats[n.id] = uint16(1 + w.rng.IntN(3))
		if n.equivocates {
			w.seats[n.id] = 1
		}
		p.Committee += w.seats[n.id]
		w.nodes = append(w.nodes, n)
	}
	for _, n := range w.nodes {
		for i, proposal := range w.all {
			if i == 0 || w.rng.Float64() >= s.missing {
				require.NoError(t, n.proposals.Add(proposal))
			}
		}
		h, err := hare.New(p, n, n)
		require.NoError(t, err)
		n.Hare = h
	}
	for _, n := range w.nodes {
		n.do(n.StartLayer(hare.LayerStart{
			Layer: openLayer, Start: genesisTime, Synced: true, Beacon: openBeacon(),
			Identities: []wire.NodeID{n.id},
		}))
	}
	return w
}

// agreement is what hare promises: one result a session, the same everywhere.
func (w *world) agreement() (decided int) {
	var first []wire.ProposalID
	for _, n := range w.nodes {
		require.True(w.t, n.ended)
		require.LessOrEqual(w.t, n.coins, 1)
		require.LessOrEqual(w.t, len(n.results), 1)
		if n.equivocates || len(n.results) == 0 {
			continue
		}
		if decided++; decided == 1 {
			first = n.results[0]
		}
		require.Equal(w.t, first, n.results[0], "node %d decided otherwise", n.index)
	}
	for _, id := range first {
		known := func(p hare.StoredProposal) bool { return p.ID == id }
		require.True(w.t, slices.ContainsFunc(w.all, known))
	}
	return decided
}

func seeds(n uint64) []uint64 {
	if *simulationSeed != 0 {
		return []uint64{*simulationSeed}
	}
	out := []uint64{uint64(time.Now().UnixNano())}
	for seed := range n {
		out = append(out, seed+1)
	}
	return out
}

func TestSimulatedAgreement(t *testing.T) {
	for name, s := range map[string]simulation{
		"hare3 quiet":        {nodes: 5},
		"hare4 quiet":        {nodes: 5, hare4: true},
		"hare3 lossy":        {nodes: 10, loss: 0.2, missing: 0.2},
		"hare4 lossy":        {nodes: 10, loss: 0.2, missing: 0.2, hare4: true},
		"hare3 equivocators": {nodes: 12, equivocators: 4, loss: 0.1, missing: 0.1},
		"hare4 equivocators": {nodes: 12, equivocators: 4, loss: 0.1, missing: 0.1, hare4: true},
	} {
		t.Run(name, func(t *testing.T) {
			decided, total := 0, 0
			for _, seed := range seeds(25) {
				t.Logf("seed %d (repeat with -hare.seed)", seed)
				w := s.build(t, seed)
				w.run()
				got := w.agreement()
				if s.loss == 0 {
					require.Equal(t, s.nodes, got, "a quiet network decides")
					require.Len(t, w.nodes[0].results[0], len(w.all))
				}
				decided, total = decided+got, total+s.nodes-s.equivocators
			}
			t.Logf("%d of %d honest nodes decided", decided, total)
			if *simulationSeed == 0 {
				require.Greater(t, decided, total/2)
			}
		})
	}
}

// The same seed gives the same run.
func TestSimulationRepeats(t *testing.T) {
	outcome := func() (out [][][]wire.ProposalID) {
		w := simulation{nodes: 12, equivocators: 4, loss: 0.1, missing: 0.1, hare4: true}.build(t, 42)
		w.run()
		for _, n := range w.nodes {
			out = append(out, n.results)
		}
		return out
	}
	require.Equal(t, outcome(), outcome())
}
