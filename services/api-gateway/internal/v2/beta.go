package v2

import (
	"context"
	"fmt"

	alpha "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	pb "github.com/spacemeshos/api/release/go/spacemesh/v2beta1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
)

// message is a pointer to a generated message.
type message[T any] interface {
	*T
	proto.Message
}

// convert makes a message of the other package's message with the same bytes.
func convert[Out any, PO message[Out]](in proto.Message) (PO, error) {
	raw, err := proto.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("convert %T: %w", in, err)
	}
	out := PO(new(Out))
	if err := proto.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("convert %T: %w", in, err)
	}
	return out, nil
}

// unary calls a handler of v2alpha1 for v2beta1.
func unary[Out, In, AlphaOut any, PO message[Out], PI message[In], PA message[AlphaOut]](
	ctx context.Context, in proto.Message, call func(context.Context, PI) (PA, error),
) (PO, error) {
	request, err := convert[In, PI](in)
	if err != nil {
		return nil, err
	}
	reply, err := call(ctx, request)
	if err != nil {
		return nil, err
	}
	return convert[Out, PO](reply)
}

// sender takes messages of v2alpha1 for a stream of v2beta1.
type sender[Out, AlphaOut any, PO message[Out], PA message[AlphaOut]] struct {
	grpc.ServerStream
	out grpc.ServerStreamingServer[Out]
}

// Send is grpc.ServerStreamingServer.
func (s sender[Out, AlphaOut, PO, PA]) Send(m *AlphaOut) error {
	converted, err := convert[Out, PO](PA(m))
	if err != nil {
		return err
	}
	return s.out.Send(converted)
}

// streaming calls a stream of v2alpha1 for v2beta1.
func streaming[In, Out, AlphaOut any, PI message[In], PO message[Out], PA message[AlphaOut]](
	in proto.Message, out grpc.ServerStreamingServer[Out], call func(PI, grpc.ServerStreamingServer[AlphaOut]) error,
) error {
	request, err := convert[In, PI](in)
	if err != nil {
		return err
	}
	return call(request, sender[Out, AlphaOut, PO, PA]{out, out})
}

func (h *handlers) beta() []serve.Service {
	transactions := *h.transaction
	transactions.ineffectual = true
	return []serve.Service{
		service[pb.AccountServiceServer]("account_v2beta1", betaAccount{h.account}, pb.RegisterAccountServiceServer, pb.RegisterAccountServiceHandlerServer),
		service[pb.ActivationServiceServer]("activation_v2beta1", betaActivation{h.activation}, pb.RegisterActivationServiceServer, pb.RegisterActivationServiceHandlerServer),
		service[pb.ActivationStreamServiceServer]("activation_stream_v2beta1", betaActivationStream{h.activationStream}, pb.RegisterActivationStreamServiceServer, pb.RegisterActivationStreamServiceHandlerServer),
		service[pb.LayerServiceServer]("layer_v2beta1", betaLayer{h.layer}, pb.RegisterLayerServiceServer, pb.RegisterLayerServiceHandlerServer),
		service[pb.LayerStreamServiceServer]("layer_stream_v2beta1", betaLayerStream{h.layerStream}, pb.RegisterLayerStreamServiceServer, pb.RegisterLayerStreamServiceHandlerServer),
		service[pb.MalfeasanceServiceServer]("malfeasance_v2beta1", betaMalfeasance{h.malfeasance}, pb.RegisterMalfeasanceServiceServer, pb.RegisterMalfeasanceServiceHandlerServer),
		service[pb.MalfeasanceStreamServiceServer]("malfeasance_stream_v2beta1", betaMalfeasanceStream{h.malfeasanceStream}, pb.RegisterMalfeasanceStreamServiceServer, pb.RegisterMalfeasanceStreamServiceHandlerServer),
		service[pb.NetworkServiceServer]("network_v2beta1", betaNetwork{h.network}, pb.RegisterNetworkServiceServer, pb.RegisterNetworkServiceHandlerServer),
		service[pb.NodeServiceServer]("node_v2beta1", betaNode{h.node}, pb.RegisterNodeServiceServer, pb.RegisterNodeServiceHandlerServer),
		service[pb.RewardServiceServer]("reward_v2beta1", betaReward{h.reward}, pb.RegisterRewardServiceServer, pb.RegisterRewardServiceHandlerServer),
		service[pb.RewardStreamServiceServer]("reward_stream_v2beta1", betaRewardStream{h.rewardStream}, pb.RegisterRewardStreamServiceServer, pb.RegisterRewardStreamServiceHandlerServer),
		service[pb.TransactionServiceServer]("transaction_v2beta1", betaTransaction{&transactions}, pb.RegisterTransactionServiceServer, pb.RegisterTransactionServiceHandlerServer),
		service[pb.TransactionStreamServiceServer]("transaction_stream_v2beta1", betaTransactionStream{h.transactionStream}, pb.RegisterTransactionStreamServiceServer, pb.RegisterTransactionStreamServiceHandlerServer),
	}
}

type betaAccount struct{ a alpha.AccountServiceServer }

// List is that of v2alpha1.
func (s betaAccount) List(ctx context.Context, r *pb.AccountRequest) (*pb.AccountList, error) {
	return unary[pb.AccountList](ctx, r, s.a.List)
}

type betaActivation struct{ a alpha.ActivationServiceServer }

// List is that of v2alpha1.
func (s betaActivation) List(ctx context.Context, r *pb.ActivationRequest) (*pb.ActivationList, error) {
	return unary[pb.ActivationList](ctx, r, s.a.List)
}

// ActivationsCount is that of v2alpha1.
func (s betaActivation) ActivationsCount(ctx context.Context, r *pb.ActivationsCountRequest) (*pb.ActivationsCountResponse, error) {
	return unary[pb.ActivationsCountResponse](ctx, r, s.a.ActivationsCount)
}

// Highest is that of v2alpha1.
func (s betaActivation) Highest(ctx context.Context, r *pb.HighestRequest) (*pb.HighestResponse, error) {
	return unary[pb.HighestResponse](ctx, r, s.a.Highest)
}

type betaActivationStream struct {
	a alpha.ActivationStreamServiceServer
}

// Stream is that of v2alpha1.
func (s betaActivationStream) Stream(r *pb.ActivationStreamRequest, out grpc.ServerStreamingServer[pb.Activation]) error {
	return streaming(r, out, s.a.Stream)
}

type betaLayer struct{ a alpha.LayerServiceServer }

// List is that of v2alpha1.
func (s betaLayer) List(ctx context.Context, r *pb.LayerRequest) (*pb.LayerList, error) {
	return unary[pb.LayerList](ctx, r, s.a.List)
}

type betaLayerStream struct {
	a alpha.LayerStreamServiceServer
}

// Stream is that of v2alpha1.
func (s betaLayerStream) Stream(r *pb.LayerStreamRequest, out grpc.ServerStreamingServer[pb.Layer]) error {
	return streaming(r, out, s.a.Stream)
}

type betaMalfeasance struct {
	a alpha.MalfeasanceServiceServer
}

// List is that of v2alpha1.
func (s betaMalfeasance) List(ctx context.Context, r *pb.MalfeasanceRequest) (*pb.MalfeasanceList, error) {
	return unary[pb.MalfeasanceList](ctx, r, s.a.List)
}

type betaMalfeasanceStream struct {
	a alpha.MalfeasanceStreamServiceServer
}

// Stream is that of v2alpha1.
func (s betaMalfeasanceStream) Stream(r *pb.MalfeasanceStreamRequest, out grpc.ServerStreamingServer[pb.MalfeasanceProof]) error {
	return streaming(r, out, s.a.Stream)
}

type betaNetwork struct{ a alpha.NetworkServiceServer }

// Info is that of v2alpha1.
func (s betaNetwork) Info(ctx context.Context, r *pb.NetworkInfoRequest) (*pb.NetworkInfoResponse, error) {
	return unary[pb.NetworkInfoResponse](ctx, r, s.a.Info)
}

type betaNode struct{ a alpha.NodeServiceServer }

// Status is that of v2alpha1.
func (s betaNode) Status(ctx context.Context, r *pb.NodeStatusRequest) (*pb.NodeStatusResponse, error) {
	return unary[pb.NodeStatusResponse](ctx, r, s.a.Status)
}

type betaReward struct{ a alpha.RewardServiceServer }

// List is that of v2alpha1.
func (s betaReward) List(ctx context.Context, r *pb.RewardRequest) (*pb.RewardList, error) {
	return unary[pb.RewardList](ctx, r, s.a.List)
}

type betaRewardStream struct {
	a alpha.RewardStreamServiceServer
}

// Stream is that of v2alpha1.
func (s betaRewardStream) Stream(r *pb.RewardStreamRequest, out grpc.ServerStreamingServer[pb.Reward]) error {
	return streaming(r, out, s.a.Stream)
}

type betaTransaction struct {
	a alpha.TransactionServiceServer
}

// List is that of v2alpha1, which also tells of transactions that can never be
// executed.
func (s betaTransaction) List(ctx context.Context, r *pb.TransactionRequest) (*pb.TransactionList, error) {
	return unary[pb.TransactionList](ctx, r, s.a.List)
}

// ParseTransaction is that of v2alpha1.
func (s betaTransaction) ParseTransaction(ctx context.Context, r *pb.ParseTransactionRequest) (*pb.ParseTransactionResponse, error) {
	return unary[pb.ParseTransactionResponse](ctx, r, s.a.ParseTransaction)
}

// SubmitTransaction is that of v2alpha1.
func (s betaTransaction) SubmitTransaction(ctx context.Context, r *pb.SubmitTransactionRequest) (*pb.SubmitTransactionResponse, error) {
	return unary[pb.SubmitTransactionResponse](ctx, r, s.a.SubmitTransaction)
}

// EstimateGas is that of v2alpha1.
func (s betaTransaction) EstimateGas(ctx context.Context, r *pb.EstimateGasRequest) (*pb.EstimateGasResponse, error) {
	return unary[pb.EstimateGasResponse](ctx, r, s.a.EstimateGas)
}

type betaTransactionStream struct {
	a alpha.TransactionStreamServiceServer
}

// Stream is that of v2alpha1.
func (s betaTransactionStream) Stream(r *pb.TransactionStreamRequest, out grpc.ServerStreamingServer[pb.TransactionResponse]) error {
	return streaming(r, out, s.a.Stream)
}
