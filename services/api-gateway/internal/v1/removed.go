package v1

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// removed is a method that old clients may still call (spec 09 §10.3).
type removed struct {
	method, text string
	stream       bool
}

var (
	globalRemoved = []removed{
		{"SmesherDataQuery", "DEPRECATED", false},
		{"SmesherRewardStream", "DEPRECATED", true},
		{"AppEventStream", "this endpoint has not yet been implemented", true},
	}
	smesherRemoved = []removed{
		{"SmesherID", "this endpoint has been deprecated, use `SmesherIDs` instead", false},
		{"MinGas", "this endpoint is not implemented", false},
		{"SetMinGas", "this endpoint is not implemented", false},
		{"EstimatedRewards", "this endpoint is not implemented", false},
	}
)

// withRemoved adds the methods to a copy of a service's description.
func withRemoved(desc *grpc.ServiceDesc, old []removed) {
	desc.Methods, desc.Streams = slices.Clone(desc.Methods), slices.Clone(desc.Streams)
	for _, m := range old {
		refusal := status.Error(codes.Unimplemented, m.text)
		if m.stream {
			desc.Streams = append(desc.Streams, grpc.StreamDesc{
				StreamName: m.method, ServerStreams: true,
				Handler: func(any, grpc.ServerStream) error { return refusal },
			})
			continue
		}
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: m.method, Handler: refuse("/"+desc.ServiceName+"/"+m.method, refusal)})
	}
}

// refuse reads any request, for its size limit, and answers with an error.
func refuse(method string, refusal error) func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
	return func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := &emptypb.Empty{}
		if err := decode(in); err != nil {
			return nil, err
		}
		handler := func(context.Context, any) (any, error) { return nil, refusal }
		if intercept == nil {
			return handler(ctx, in)
		}
		return intercept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: method}, handler)
	}
}
