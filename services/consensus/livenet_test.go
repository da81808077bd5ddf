package consensus_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus"
)

// net is a network of one node: a live consensus between neighbours that sign,
// execute and hand its gossip back to it.
type liveNet struct {
	*world
	clock *handClock
	ctx   context.Context

	mu      sync.Mutex
	seeds   map[wire.NodeID][32]byte
	signed  map[string][]byte // the guard: slot to body
	refused int
	// accepted and ignored count gossip by topic.
	accepted, ignored map[bus.GossipTopic]int
	reasons           []string
	events            map[string]int
	layers            map[wire.LayerID]wire.BlockID
	bodies            map[bus.GossipTopic][][]byte
	// silent is the last epoch whose beacon protocol nobody ran to its end, and
	// before what was said by then.
	silent wire.EpochID
	before map[bus.GossipTopic]int
}

func newLiveNet(t testing.TB, params network.Params, identities int) *liveNet {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n := &liveNet{
		world: newWorld(t, params), ctx: ctx,
		seeds: make(map[wire.NodeID][32]byte), signed: make(map[string][]byte),
		accepted: make(map[bus.GossipTopic]int), ignored: make(map[bus.GossipTopic]int),
		events: make(map[string]int), layers: make(map[wire.LayerID]wire.BlockID),
		bodies: make(map[bus.GossipTopic][][]byte),
	}
	n.clock = newHandClock(n.start(n.genesis).Add(params.LayerDuration / 2))
	for i := range identities {
		var seed [32]byte
		binary.BigEndian.PutUint32(seed[:], uint32(i+1))
		id := wire.NodeID(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
		n.seeds[id] = seed
		n.exec("INSERT INTO activation.lease VALUES ($1, 'main/1', now() + interval '1 day')", "identity/"+id.String())
	}
	var loops sync.WaitGroup
	t.Cleanup(func() { cancel(); loops.Wait() })
	n.activation()
	n.state()
	require.NoError(t, bus.EnsureStreams(ctx, n.gossip, 1))
	for _, topic := range bus.GossipTopics() {
		loops.Go(func() { n.loop(topic) })
	}
	events := n.connect(bus.APIService)
	loops.Go(func() {
		_ = bus.Consume(ctx, events, bus.AllEvents(), bus.Consumption{Durable: "test"}, func(_ context.Context, d bus.Delivery[bus.Event]) error {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.events[d.Message.Kind]++
			return nil
		})
	})
	return n
}

func (n *liveNet) start(layer wire.LayerID) time.Time {
	return n.params.Genesis.Time.Add(time.Duration(layer) * n.params.LayerDuration)
}

// activate gives all identities an ATX for an epoch, in good time.
func (n *liveNet) activate(target wire.EpochID) {
	for id := range n.seeds {
		a := activation.ATX{
			PublishEpoch: target - 1, Node: id, Weight: 100, Ticks: 10, VRFNonce: 3,
			Received: n.start(n.params.FirstLayer(target - 1)).Add(time.Second).UnixNano(),
		}
		sum := wire.Sum(id[:], []byte{byte(target)})
		a.ID = wire.ATXID(sum)
		n.addATX(a)
	}
}

// slotOf is what an identity may sign once.
func (n *liveNet) slotOf(i *bus.SignItem) string {
	key := fmt.Sprintf("%s %d ", i.NodeID, i.Domain)
	var ballot wire.BallotMetadata
	var first wire.FirstVotingMessageBody
	var follow wire.FollowingVotingMessageBody
	var certify wire.CertifyContent
	var hare wire.HareMetadata
	switch signing.Domain(i.Domain) {
	case signing.Ballot, signing.Proposal:
		require.NoError(n.t, codec.Decode(i.Body, &ballot))
		return fmt.Sprint(key, ballot.Layer)
	case signing.BeaconFirst:
		require.NoError(n.t, codec.Decode(i.Body, &first))
		return fmt.Sprint(key, first.EpochID)
	case signing.BeaconFollowup:
		require.NoError(n.t, codec.Decode(i.Body, &follow))
		return fmt.Sprint(key, follow.EpochID, follow.RoundID)
	}
	if codec.Decode(i.Body, &certify) == nil {
		return fmt.Sprint(key, "certify ", certify.LayerID)
	}
	require.NoError(n.t, codec.Decode(i.Body, &hare))
	return fmt.Sprint(key, hare.Layer, hare.Round)
}

// activation signs and proves as the identities' holder.
func (n *liveNet) activation() {
	conn, q := n.connect(bus.ActivationService), bus.Queue{Length: 64, Full: actor.Refuse}
	genesis := n.params.Genesis.ID()
	_, err := bus.Serve(n.ctx, conn, bus.Sign("main"), q, func(_ context.Context, r bus.SignRequest) (bus.SignReply, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		var reply bus.SignReply
		for i := range r.Items {
			item := &r.Items[i]
			slot, seed := n.slotOf(item), n.seeds[item.NodeID]
			if body, taken := n.signed[slot]; taken && string(body) != string(item.Body) {
				n.refused++
				reply.Results = append(reply.Results, bus.SignResult{Outcome: bus.SignRefused, Reason: "conflict"})
				continue
			}
			n.signed[slot] = item.Body
			message := append(append(genesis[:], item.Domain), item.Body...)
			sig := ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), message)
			reply.Results = append(reply.Results, bus.SignResult{Outcome: bus.Signed, Signature: wire.EdSignature(sig)})
		}
		return reply, nil
	})
	require.NoError(n.t, err)
	_, err = bus.Serve(n.ctx, conn, bus.ProveVRF("main"), q, func(_ context.Context, r bus.VRFRequest) (bus.VRFReply, error) {
		var reply bus.VRFReply
		for i := range r.Items {
			reply.Results = append(reply.Results, bus.VRFResult{
				Outcome: bus.Signed, Proof: vrf.Prove(n.seeds[r.Items[i].NodeID], r.Items[i].Message),
			})
		}
		return reply, nil
	})
	require.NoError(n.t, err)
}

// state keeps blocks and layers; there are no transactions.
func (n *liveNet) state() {
	conn, q := n.connect(bus.StateService), bus.Queue{Length: 64, Full: actor.Refuse}
	serve := func(_ *bus.Subscription, err error) { require.NoError(n.t, err) }
	serve(bus.Serve(n.ctx, conn, bus.SyncIn(bus.KindBlock), q, func(ctx context.Context, o bus.FetchedObject) (bus.Judgement, error) {
		n.storeBlock(ctx, o.Body)
		return bus.Judgement{Verdict: bus.Accept}, nil
	}))
	serve(bus.Serve(n.ctx, conn, bus.ExecuteOptimistic(), q, func(ctx context.Context, r bus.OptimisticRequest) (bus.OptimisticReply, error) {
		b := wire.Block{InnerBlock: r.Block}
		id, body := b.ID(), codec.MustEncode(&b)
		n.storeBlock(ctx, body)
		_, err := n.rows.Exec(ctx, "INSERT INTO state.layers VALUES ($1, $2, NULL) ON CONFLICT DO NOTHING", int64(b.LayerIndex), id[:])
		return bus.OptimisticReply{ID: id, Body: body}, err
	}))
	serve(bus.Serve(n.ctx, conn, bus.LinkProposal(), q, func(context.Context, bus.ProposedTransactions) (bus.SelectReply, error) {
		return bus.SelectReply{}, nil
	}))
	serve(bus.Serve(n.ctx, conn, bus.Select(), q, func(context.Context, bus.SelectRequest) (bus.SelectReply, error) {
		return bus.SelectReply{}, nil
	}))
}

func (n *liveNet) storeBlock(ctx context.Context, body []byte) {
	var b wire.Block
	require.NoError(n.t, codec.Decode(body, &b))
	id := b.ID()
	_, err := n.rows.Exec(ctx, "INSERT INTO state.blocks SELECT coalesce(max(seq), 0) + 1, $1, $2, $3, $4 FROM state.blocks ON CONFLICT (id) DO NOTHING",
		id[:], int64(b.LayerIndex), int64(b.TickHeight), body)
	require.NoError(n.t, err)
}

// loop hands what is published back to its owner, as gossip does.
func (n *liveNet) loop(topic bus.GossipTopic) {
	o := bus.Consumption{Durable: "loop-" + string(topic), Workers: 8, Retry: 10 * time.Millisecond}
	_ = bus.Consume(n.ctx, n.gossip, bus.GossipOut(topic), o, func(ctx context.Context, d bus.Delivery[[]byte]) error {
		j, err := bus.GossipIn(topic).Call(ctx, n.gossip, bus.PeerMessage{Peer: bus.SelfPeer, Body: d.Message})
		if err != nil {
			return err
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if j.Verdict == bus.Accept {
			n.accepted[topic]++
			n.bodies[topic] = append(n.bodies[topic], d.Message)
		} else {
			n.ignored[topic]++
			n.reasons = append(n.reasons, fmt.Sprint(topic, " ", j.Reason, " ", j.Detail))
		}
		return nil
	})
}

func (n *liveNet) count(topic bus.GossipTopic) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.accepted[topic]
}

// silence expects nothing more of an epoch's beacon protocol: who ran it is gone.
func (n *liveNet) silence(epoch wire.EpochID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent, n.before = epoch, maps.Clone(n.accepted)
}

// live makes a live service that does not run yet.
func (n *liveNet) live(name string) *process {
	n.t.Helper()
	db, conn := storetest.Open(n.t, n.url, "consensus"), n.connect(bus.ConsensusService)
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("SMESHERY_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("process", name)
	}
	s, err := consensus.New(consensus.Config{
		Network: n.params, Live: true, Standalone: true, Holder: name, LeaseTTL: 2 * time.Second,
	}, consensus.Deps{
		DB: db, Bus: conn, Log: log, Registry: prometheus.NewRegistry(), Now: n.clock.Now, Timer: n.clock.Timer,
	})
	require.NoError(n.t, err)
	return &process{Service: s, db: db, conn: conn, ended: make(chan error, 1)}
}

// process is a service that runs.
type process struct {
	*consensus.Service
	db    *store.DB
	conn  *bus.Conn
	stop  context.CancelFunc
	ended chan error
}

// crash takes everything away from a process at once.
func (n *liveNet) crash(p *process) {
	p.conn.Close()
	p.db.Close()
	p.stop()
	<-p.ended
}

func (n *liveNet) run(name string) *process {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := n.live(name)
	p.stop = cancel
	go func() { p.ended <- p.Run(ctx) }()
	n.t.Cleanup(func() { cancel() })
	return p
}

func (n *liveNet) end(p *process) {
	n.t.Helper()
	p.stop()
	require.NoError(n.t, <-p.ended)
}

// await waits for something that the running services bring about.
func (n *liveNet) await(what string, f func() bool) {
	n.t.Helper()
	require.Eventually(n.t, f, 30*time.Second, time.Millisecond, "%s at %s", what, n.clock.Now().Sub(n.params.Genesis.Time))
}

// query answers whether a query finds a row.
func (n *liveNet) query(sql string, args ...any) bool {
	rows, err := n.rows.Query(context.Background(), sql, args...)
	require.NoError(n.t, err)
	defer rows.Close()
	return rows.Next()
}
