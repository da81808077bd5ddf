package apigateway_test

import (
	"context"
	"sync/atomic"
	"testing"

	v1 "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/internal/seedtest"
	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
)

// real is a gateway that asks the other services itself.
func real(t testing.TB, change ...func(*apigateway.Deps)) *gateway {
	t.Helper()
	g := &gateway{World: seedtest.Start(t)}
	cfg := apigateway.DefaultConfig()
	cfg.Network = g.Seed.Network()
	cfg.PublicServices = append(append(cfg.PublicServices, cfg.PrivateServices...), "postInfo")
	cfg.PublicListener, cfg.PrivateListener = "127.0.0.1:0", ""
	deps := apigateway.Deps{DB: seedtest.Reader(t, g.URL), Bus: g.Connect(bus.APIService), Now: g.Seed.Now}
	for _, f := range change {
		f(&deps)
	}
	var err error
	g.service, err = apigateway.New(cfg, deps)
	require.NoError(t, err)
	seedtest.Run(t, g.service)
	g.conn = dial(t, g.service.Addr("public").String())
	return g
}

const coinbaseText = "sm1qqqqqqxphld8qnu9w028zkfjqzzqlk6s72mvvngvsgmnm"

func TestANodeWithoutASupervisedIdentityRefuses(t *testing.T) {
	g := real(t)
	smesher := v1.NewSmesherServiceClient(g.conn)
	ctx := within(t)
	_, err := smesher.IsSmeshing(ctx, &emptypb.Empty{})
	refused := func(err error) {
		t.Helper()
		require.Equal(t, codes.FailedPrecondition, status.Code(err))
		require.Equal(t, "node is not configured for supervised smeshing", status.Convert(err).Message())
	}
	refused(err)
	_, err = smesher.StartSmeshing(ctx, &v1.StartSmeshingRequest{Coinbase: &v1.AccountId{Address: coinbaseText}})
	refused(err)
	_, err = smesher.SetCoinbase(ctx, &v1.SetCoinbaseRequest{Id: &v1.AccountId{Address: coinbaseText}})
	refused(err)
	_, err = smesher.StopSmeshing(ctx, &v1.StopSmeshingRequest{})
	refused(err)
	ids, err := smesher.SmesherIDs(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	require.Empty(t, ids.PublicKeys)
	_, err = v1.NewDebugServiceClient(g.conn).ActiveSet(ctx, &v1.ActiveSetRequest{Epoch: 3})
	require.Equal(t, codes.Internal, status.Code(err))
	_, err = v1.NewAdminServiceClient(g.conn).Recover(ctx, &v1.RecoverRequest{})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
}

// TestSmeshingIsAskedOfTheActivation plays an activation with one identity.
func TestSmeshingIsAskedOfTheActivation(t *testing.T) {
	g := real(t)
	node := wire.NodeID{1, 2, 3}
	g.write(t, "activation", "INSERT INTO members (instance, identities, expires_at) VALUES ('one', $1, now() + interval '1 hour')", node[:])
	g.write(t, "activation", "INSERT INTO steps (node_id, name, step) VALUES ($1, 'local.key', 'proving')", node[:])
	g.write(t, "activation", "INSERT INTO initialisations (node_id, commitment, units, complete) VALUES ($1, $2, 4, true)", node[:], make([]byte, 32))
	var now atomic.Pointer[bus.SmeshingReply]
	now.Store(&bus.SmeshingReply{})
	_, err := bus.Serve(t.Context(), g.Connect(bus.ActivationService), bus.Smeshing("one"), bus.Queue{Length: 8, Full: actor.Refuse},
		func(_ context.Context, r bus.SmeshingRequest) (bus.SmeshingReply, error) {
			next := *now.Load()
			if r.Smeshing != nil {
				next.Smeshing = *r.Smeshing
			}
			if r.Coinbase != nil {
				next.Coinbase = *r.Coinbase
			}
			now.Store(&next)
			return next, nil
		})
	require.NoError(t, err)
	smesher := v1.NewSmesherServiceClient(g.conn)
	ctx := within(t)
	is := func(want bool) {
		t.Helper()
		r, err := smesher.IsSmeshing(ctx, &emptypb.Empty{})
		require.NoError(t, err)
		require.Equal(t, want, r.IsSmeshing)
	}
	is(false)
	_, err = smesher.StartSmeshing(ctx, &v1.StartSmeshingRequest{Coinbase: &v1.AccountId{Address: coinbaseText}})
	require.NoError(t, err)
	is(true)
	coinbase, err := smesher.Coinbase(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, coinbaseText, coinbase.AccountId.Address)
	setup, err := smesher.PostSetupStatus(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, v1.PostSetupStatus_STATE_COMPLETE, setup.Status.State)
	require.Equal(t, 4*uint64(g.Seed.LabelsPerUnit), setup.Status.NumLabelsWritten)
	_, err = smesher.StopSmeshing(ctx, &v1.StopSmeshingRequest{})
	require.NoError(t, err)
	is(false)
	_, err = smesher.StopSmeshing(ctx, &v1.StopSmeshingRequest{DeleteFiles: true})
	require.Equal(t, codes.FailedPrecondition, status.Code(err), "data is not deleted over the network")
	ids, err := smesher.SmesherIDs(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, [][]byte{node[:]}, ids.PublicKeys)
	states, err := v1.NewPostInfoServiceClient(g.conn).PostStates(ctx, &v1.PostStatesRequest{})
	require.NoError(t, err)
	require.Len(t, states.States, 1)
	require.Equal(t, v1.PostState_PROVING, states.States[0].State)
	require.Equal(t, "local.key", states.States[0].Name)
	stream, err := smesher.PostSetupStatusStream(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, v1.PostSetupStatus_STATE_COMPLETE, receive(t, stream).GetStatus().GetState())
}

func TestRecoverStopsTheProcess(t *testing.T) {
	stopped := make(chan struct{})
	g := real(t, func(d *apigateway.Deps) { d.Stop = func() { close(stopped) } })
	_, err := v1.NewAdminServiceClient(g.conn).Recover(within(t), &v1.RecoverRequest{Uri: "file:///nowhere", RestoreLayer: 7})
	require.NoError(t, err)
	<-stopped
}
