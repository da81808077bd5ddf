package v2

import (
	"context"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"google.golang.org/grpc"

	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
)

// service ties one implementation to its two ways of being registered.
func service[S any](name string, s S, add func(grpc.ServiceRegistrar, S), json func(context.Context, *runtime.ServeMux, S) error) serve.Service {
	return serve.Service{
		Name: name,
		GRPC: func(r grpc.ServiceRegistrar) { add(r, s) },
		JSON: func(ctx context.Context, mux *runtime.ServeMux) error { return json(ctx, mux, s) },
	}
}

// handlers are the services of v2alpha1.
type handlers struct {
	account           *accountService
	activation        *activationService
	activationStream  *activationStream
	layer             *layerService
	layerStream       *layerStream
	malfeasance       *malfeasanceService
	malfeasanceStream *malfeasanceStream
	network           *networkService
	node              *nodeService
	reward            *rewardService
	rewardStream      *rewardStream
	transaction       *transactionService
	transactionStream transactionStream
}

// Services are those of both packages, for all listeners.
func Services(n *node.Node, hub *live.Hub) []serve.Service {
	h := &handlers{
		account: &accountService{n}, activation: &activationService{n}, activationStream: &activationStream{n, hub},
		layer: &layerService{n}, layerStream: &layerStream{n, hub},
		malfeasance: &malfeasanceService{n}, malfeasanceStream: &malfeasanceStream{n, hub},
		network: &networkService{n}, node: &nodeService{n},
		reward: &rewardService{n}, rewardStream: &rewardStream{n, hub}, transaction: &transactionService{n: n},
	}
	return append(h.alpha(), h.beta()...)
}

func (h *handlers) alpha() []serve.Service {
	return []serve.Service{
		service[pb.AccountServiceServer]("account_v2alpha1", h.account, pb.RegisterAccountServiceServer, pb.RegisterAccountServiceHandlerServer),
		service[pb.ActivationServiceServer]("activation_v2alpha1", h.activation, pb.RegisterActivationServiceServer, pb.RegisterActivationServiceHandlerServer),
		service[pb.ActivationStreamServiceServer]("activation_stream_v2alpha1", h.activationStream, pb.RegisterActivationStreamServiceServer, pb.RegisterActivationStreamServiceHandlerServer),
		service[pb.LayerServiceServer]("layer_v2alpha1", h.layer, pb.RegisterLayerServiceServer, pb.RegisterLayerServiceHandlerServer),
		service[pb.LayerStreamServiceServer]("layer_stream_v2alpha1", h.layerStream, pb.RegisterLayerStreamServiceServer, pb.RegisterLayerStreamServiceHandlerServer),
		service[pb.MalfeasanceServiceServer]("malfeasance_v2alpha1", h.malfeasance, pb.RegisterMalfeasanceServiceServer, pb.RegisterMalfeasanceServiceHandlerServer),
		service[pb.MalfeasanceStreamServiceServer]("malfeasance_stream_v2alpha1", h.malfeasanceStream, pb.RegisterMalfeasanceStreamServiceServer, pb.RegisterMalfeasanceStreamServiceHandlerServer),
		service[pb.NetworkServiceServer]("network_v2alpha1", h.network, pb.RegisterNetworkServiceServer, pb.RegisterNetworkServiceHandlerServer),
		service[pb.NodeServiceServer]("node_v2alpha1", h.node, pb.RegisterNodeServiceServer, pb.RegisterNodeServiceHandlerServer),
		service[pb.RewardServiceServer]("reward_v2alpha1", h.reward, pb.RegisterRewardServiceServer, pb.RegisterRewardServiceHandlerServer),
		service[pb.RewardStreamServiceServer]("reward_stream_v2alpha1", h.rewardStream, pb.RegisterRewardStreamServiceServer, pb.RegisterRewardStreamServiceHandlerServer),
		service[pb.TransactionServiceServer]("transaction_v2alpha1", h.transaction, pb.RegisterTransactionServiceServer, pb.RegisterTransactionServiceHandlerServer),
		service[pb.TransactionStreamServiceServer]("transaction_stream_v2alpha1", h.transactionStream, pb.RegisterTransactionStreamServiceServer, pb.RegisterTransactionStreamServiceHandlerServer),
	}
}
