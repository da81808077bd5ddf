package v1

import (
	"context"
	"errors"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
)

// Config of the services.
type Config struct {
	// Version and Build are what NodeService tells.
	Version, Build string
	// Post are the bounds of SmesherService.PostConfig.
	Post network.PostParams
	// StatusInterval is that of SmesherService.PostSetupStatusStream.
	StatusInterval time.Duration
	// SendSize is the largest response in bytes.
	SendSize int
	// CheckpointDir keeps the files of AdminService.CheckpointStream.
	CheckpointDir string
}

// Deps of the services.
type Deps struct {
	Node     *node.Node
	Live     *live.Hub
	Smeshing Smeshing
	Network  Network
	// Logs changes levels at run time; nil knows no module.
	Logs Levels
	// Stop ends the process, for AdminService.Recover; nil refuses it.
	Stop func()
}

// api is what all services of the package share.
type api struct {
	Config
	Deps
	golden wire.ATXID
}

// Services are all of spacemesh.v1 that the gateway serves, by their names in
// configurations (spec 09 §2.1).
func Services(cfg Config, deps Deps) serve.Catalogue {
	a := &api{Config: cfg, Deps: deps, golden: deps.Node.Network.Genesis.GoldenATX()}
	return serve.Catalogue{
		service[pb.NodeServiceServer]("node", &nodeService{api: a}, pb.NodeService_ServiceDesc, pb.RegisterNodeServiceHandlerServer, nil),
		service[pb.MeshServiceServer]("mesh", &meshService{api: a}, pb.MeshService_ServiceDesc, pb.RegisterMeshServiceHandlerServer, nil),
		service[pb.GlobalStateServiceServer]("global", &globalService{api: a}, pb.GlobalStateService_ServiceDesc, pb.RegisterGlobalStateServiceHandlerServer, globalRemoved),
		service[pb.TransactionServiceServer]("transaction", &transactionService{api: a}, pb.TransactionService_ServiceDesc, pb.RegisterTransactionServiceHandlerServer, nil),
		service[pb.ActivationServiceServer]("activation", &activationService{api: a}, pb.ActivationService_ServiceDesc, pb.RegisterActivationServiceHandlerServer, nil),
		service[pb.SmesherServiceServer]("smesher", &smesherService{api: a}, pb.SmesherService_ServiceDesc, pb.RegisterSmesherServiceHandlerServer, smesherRemoved),
		service[pb.AdminServiceServer]("admin", &adminService{api: a}, pb.AdminService_ServiceDesc, pb.RegisterAdminServiceHandlerServer, nil),
		service[pb.DebugServiceServer]("debug", &debugService{api: a}, pb.DebugService_ServiceDesc, pb.RegisterDebugServiceHandlerServer, nil),
		service[pb.PostInfoServiceServer]("postInfo", &postInfoService{api: a}, pb.PostInfoService_ServiceDesc, pb.RegisterPostInfoServiceHandlerServer, nil),
	}
}

func service[S any](
	name string, server S, desc grpc.ServiceDesc, json func(context.Context, *runtime.ServeMux, S) error, old []removed,
) serve.Service {
	withRemoved(&desc, old)
	return serve.Service{
		Name: name,
		GRPC: func(r grpc.ServiceRegistrar) { r.RegisterService(&desc, server) },
		JSON: func(ctx context.Context, mux *runtime.ServeMux) error { return json(ctx, mux, server) },
	}
}

func invalid(text string) error { return status.Error(codes.InvalidArgument, text) }

func internal(text string) error { return status.Error(codes.Internal, text) }

// overflow is how a slow client's stream ends.
func overflow(text string) error { return status.Error(codes.Canceled, text) }

// ended translates the error of a subscription: a client that left has no error.
func ended(err error, text string) error {
	if full := (*live.Overflow)(nil); errors.As(err, &full) {
		return overflow(text)
	}
	return nil
}
