package apigateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	v1 "github.com/spacemeshos/api/release/go/spacemesh/v1"
	alpha "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	handlers "github.com/smeshery/smeshery/services/api-gateway/internal/v1"
)

// within is a context that ends before the test's patience does.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// subscribed waits until the hub has n subscriptions.
func (g *gateway) subscribed(t testing.TB, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return g.service.Hub().Subscriptions() == n }, patience, time.Millisecond)
}

// receive takes a stream's next message.
func receive[T any](t testing.TB, stream grpc.ServerStreamingClient[T]) *T {
	t.Helper()
	m, err := stream.Recv()
	require.NoError(t, err)
	return m
}

// TestASubmittedTransactionIsTold goes all the way: gRPC, bus, mempool, outbox,
// JetStream, hub, gRPC.
func TestASubmittedTransactionIsTold(t *testing.T) {
	g := start(t)
	ctx := within(t)
	const sender = "sm1qqqqqq9m8gf7msckcmvak0uvy6kkyvt8z65873gu78me5"
	account := &v1.AccountId{Address: sender}
	mesh, err := v1.NewMeshServiceClient(g.conn).AccountMeshDataStream(ctx, &v1.AccountMeshDataStreamRequest{
		Filter: &v1.AccountMeshDataFilter{AccountId: account, AccountMeshDataFlags: 1},
	})
	require.NoError(t, err)
	data, err := v1.NewGlobalStateServiceClient(g.conn).AccountDataStream(ctx, &v1.AccountDataStreamRequest{
		Filter: &v1.AccountDataFilter{AccountId: account, AccountDataFlags: 4},
	})
	require.NoError(t, err)
	id := &v1.TransactionId{Id: g.Seed.Mempool.ID}
	states, err := v1.NewTransactionServiceClient(g.conn).TransactionsStateStream(ctx, &v1.TransactionsStateStreamRequest{
		TransactionId: []*v1.TransactionId{id}, IncludeTransactions: true,
	})
	require.NoError(t, err)
	g.subscribed(t, 3)

	submit(t, g)
	require.Equal(t, []byte(g.Seed.Mempool.ID), receive(t, mesh).GetDatum().GetMeshTransaction().GetTransaction().GetId())
	require.Equal(t, uint64(4), receive(t, data).GetDatum().GetAccountWrapper().GetStateProjected().GetCounter())
	told := receive(t, states)
	require.Equal(t, v1.TransactionState_TRANSACTION_STATE_MEMPOOL, told.GetTransactionState().GetState())
	require.Equal(t, []byte(g.Seed.Mempool.Raw), told.GetTransaction().GetRaw())
}

// TestAnExecutedLayerIsTold reads what a layer wrote once it is said to be executed.
func TestAnExecutedLayerIsTold(t *testing.T) {
	g := start(t)
	ctx := within(t)
	const layer = 30
	tx := &g.Seed.Transactions[0]
	db := open(t, g.URL, "state")
	old, err := state.ResultsByID(ctx, db, []wire.TransactionID{wire.TransactionID(tx.ID)})
	require.NoError(t, err)
	require.Len(t, old, 1)

	global, err := v1.NewGlobalStateServiceClient(g.conn).GlobalStateStream(ctx, &v1.GlobalStateStreamRequest{GlobalStateDataFlags: 15})
	require.NoError(t, err)
	results, err := v1.NewTransactionServiceClient(g.conn).StreamResults(ctx, &v1.TransactionResultsRequest{Start: 20, Watch: true})
	require.NoError(t, err)
	rewards, err := alpha.NewRewardStreamServiceClient(g.conn).Stream(ctx, &alpha.RewardStreamRequest{StartLayer: 20, Watch: true})
	require.NoError(t, err)
	status, err := v1.NewNodeServiceClient(g.conn).StatusStream(ctx, &v1.StatusStreamRequest{})
	require.NoError(t, err)
	g.subscribed(t, 4)

	coinbase := g.Seed.Address(t, g.Seed.Rewards[0].Coinbase)
	g.write(t, "state", "INSERT INTO rewards (node_id, layer, coinbase, total_reward, layer_reward) VALUES ($1, $2, $3, 7, 5)",
		make([]byte, 32), layer, coinbase[:])
	result := old[0].Result
	result.Layer = layer
	g.write(t, "state", "UPDATE results SET layer = $2, result = $3 WHERE id = $1", []byte(tx.ID), layer, codec.MustEncode(&result))
	g.write(t, "state", "INSERT INTO accounts (address, layer, balance, next_nonce, state) VALUES ($1, $2, 99, 0, '')", coinbase[:], layer)
	g.tell(t, g.Connect(bus.StateService), "executed", &events.LayerExecuted{Layer: layer})
	g.tell(t, g.Connect(bus.ConsensusService), "applied", &events.LayerUpdate{Layer: layer, Status: events.LayerApplied})

	require.Equal(t, uint64(7), receive(t, global).GetDatum().GetReward().GetTotal().GetValue())
	require.Equal(t, uint64(99), receive(t, global).GetDatum().GetAccountWrapper().GetStateCurrent().GetBalance().GetValue())
	require.Equal(t, uint32(layer), receive(t, global).GetDatum().GetGlobalState().GetLayer().GetNumber())
	told := receive(t, results)
	require.Equal(t, uint32(layer), told.GetLayer())
	require.Equal(t, []byte(tx.Raw), told.GetTx().GetRaw())
	require.Equal(t, uint64(5), receive(t, rewards).GetLayerReward())
	require.Equal(t, uint64(7), receive(t, status).GetStatus().GetConnectedPeers())
}

// TestASlowClientIsCutOff never lets the hub wait for it.
func TestASlowClientIsCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		open func(g *gateway, ctx context.Context) (func() error, error)
		emit live.Event
		want string
	}{
		"v1 layers": {func(g *gateway, ctx context.Context) (func() error, error) {
			s, err := v1.NewMeshServiceClient(g.conn).LayerStream(ctx, &v1.LayerStreamRequest{})
			return func() error { _, err := s.Recv(); return err }, err
		}, live.Layer{Layer: 12}, "account buffer is full"},
		"v1 rewards": {func(g *gateway, ctx context.Context) (func() error, error) {
			s, err := v1.NewGlobalStateServiceClient(g.conn).GlobalStateStream(ctx, &v1.GlobalStateStreamRequest{GlobalStateDataFlags: 2})
			return func() error { _, err := s.Recv(); return err }, err
		}, live.Rewards{Rewards: make([]wire.Reward, 100)}, "rewards buffer is full"},
		"v2 rewards": {func(g *gateway, ctx context.Context) (func() error, error) {
			s, err := alpha.NewRewardStreamServiceClient(g.conn).Stream(ctx, &alpha.RewardStreamRequest{StartLayer: 100, Watch: true})
			return func() error { _, err := s.Recv(); return err }, err
		}, live.Rewards{Rewards: []wire.Reward{{Layer: 100}}}, "buffer overflow"},
		"users": {func(g *gateway, ctx context.Context) (func() error, error) {
			s, err := v1.NewAdminServiceClient(g.conn).EventsStream(ctx, &v1.EventStreamRequest{})
			return func() error { _, err := s.Recv(); return err }, err
		}, live.User{Event: &v1.Event{Help: "help"}}, "buffer is full"},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t)
			read, err := c.open(g, within(t))
			require.NoError(t, err)
			g.subscribed(t, 1)
			for g.service.Hub().Subscriptions() > 0 { // nobody reads meanwhile
				for range 1000 {
					g.service.Hub().Emit(c.emit)
				}
			}
			for err == nil {
				err = read()
			}
			require.Equal(t, codes.Canceled, status.Code(err))
			require.Equal(t, c.want, status.Convert(err).Message())
		})
	}
}

// TestEventsAreReplayedFromASequence comes back where it was.
func TestEventsAreReplayedFromASequence(t *testing.T) {
	g := start(t)
	ctx := within(t)
	consensus := g.Connect(bus.ConsensusService)
	const n = 300
	for i := range n {
		g.tell(t, consensus, fmt.Sprint(i), &events.Beacon{Epoch: wire.EpochID(i)})
	}
	admin := v1.NewAdminServiceClient(g.conn)
	follow := func(from uint64) grpc.ServerStreamingClient[v1.Event] {
		stream, err := admin.EventsStream(metadata.AppendToOutgoingContext(ctx, handlers.FromSequence, strconv.FormatUint(from, 10)), &v1.EventStreamRequest{})
		require.NoError(t, err)
		return stream
	}
	all := follow(0)
	header, err := all.Header()
	require.NoError(t, err)
	require.Equal(t, []string{strconv.Itoa(n)}, header.Get(handlers.LastSequence))
	for i := range n {
		e := receive(t, all)
		require.Equal(t, uint64(i+1), handlers.Sequence(e))
		require.Equal(t, uint32(i), e.GetBeacon().GetEpoch())
	}
	g.tell(t, consensus, "live", &events.Beacon{Epoch: n})
	require.Equal(t, uint32(n), receive(t, all).GetBeacon().GetEpoch())

	require.Equal(t, uint64(200), handlers.Sequence(receive(t, follow(200))))

	stream, err := admin.EventsStream(metadata.AppendToOutgoingContext(ctx, handlers.FromSequence, "yesterday"), &v1.EventStreamRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

// TestTheRingOutlivesTheProcess fills a new gateway's ring from the stream.
func TestTheRingOutlivesTheProcess(t *testing.T) {
	g := start(t)
	g.tell(t, g.Connect(bus.ConsensusService), "1", &events.Beacon{Epoch: 5})
	g.caughtUp(t, 1)
	again := g.another(t)
	stream, err := v1.NewAdminServiceClient(again.conn).EventsStream(within(t), &v1.EventStreamRequest{})
	require.NoError(t, err)
	require.Equal(t, uint32(5), receive(t, stream).GetBeacon().GetEpoch())
}

func TestErrorsAndProposalsAreTold(t *testing.T) {
	g := start(t)
	ctx := within(t)
	errs, err := v1.NewNodeServiceClient(g.conn).ErrorStream(ctx, &v1.ErrorStreamRequest{})
	require.NoError(t, err)
	proposals, err := v1.NewDebugServiceClient(g.conn).ProposalsStream(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	g.subscribed(t, 2)
	slog.New(g.service.Log(slog.DiscardHandler)).Error("boom")
	require.Equal(t, "boom", receive(t, errs).GetError().GetMsg())

	p := wire.Proposal{}
	p.Layer, p.EpochData = 21, &wire.EpochData{Beacon: wire.Beacon{1, 2, 3, 4}}
	p.EligibilityProofs = []wire.VotingEligibility{{J: 3}}
	g.tell(t, g.Connect(bus.ConsensusService), "p", &events.Proposal{
		Status: events.ProposalIncluded, ID: p.ID(), Layer: p.Layer, Node: wire.NodeID{7}, Body: codec.MustEncode(&p),
	})
	told := receive(t, proposals)
	id, ballot := p.ID(), p.Ballot.ID()
	require.Equal(t, id[:], told.GetId())
	require.Equal(t, ballot[:], told.GetBallot())
	require.Equal(t, []byte{1, 2, 3, 4}, told.GetData().GetBeacon())
	require.Equal(t, uint32(3), told.GetEligibilities()[0].GetJ())
	require.Equal(t, v1.Proposal_Included, told.GetStatus())
	require.Equal(t, uint32(4), told.GetEpoch().GetNumber())
}
