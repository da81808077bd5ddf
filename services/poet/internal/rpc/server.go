package rpc

import (
	"context"
	"encoding/json"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/smeshery/smeshery/pkg/poet/rest"
)

// Server answers calls through the rules of the HTTP interface.
type Server struct {
	UnimplementedPoetServiceServer

	Handle func(context.Context, rest.Request) rest.Response
}

// PowParams implements PoetServiceServer.
func (s *Server) PowParams(ctx context.Context, _ *PowParamsRequest) (*PowParamsResponse, error) {
	return answer(ctx, s, rest.Request{Method: http.MethodGet, Path: "/v1/pow_params"}, new(PowParamsResponse))
}

// Info implements PoetServiceServer.
func (s *Server) Info(ctx context.Context, _ *InfoRequest) (*InfoResponse, error) {
	return answer(ctx, s, rest.Request{Method: http.MethodGet, Path: "/v1/info"}, new(InfoResponse))
}

// Proof implements PoetServiceServer.
func (s *Server) Proof(ctx context.Context, r *ProofRequest) (*ProofResponse, error) {
	return answer(ctx, s, rest.Request{Method: http.MethodGet, Path: "/v1/proofs/" + r.GetRoundId()}, new(ProofResponse))
}

// Submit implements PoetServiceServer.
func (s *Server) Submit(ctx context.Context, r *SubmitRequest) (*SubmitResponse, error) {
	body, err := protojson.Marshal(r)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return answer(ctx, s, rest.Request{Method: http.MethodPost, Path: "/v1/submit", Body: body}, new(SubmitResponse))
}

func answer[M proto.Message](ctx context.Context, s *Server, r rest.Request, into M) (M, error) {
	reply := s.Handle(ctx, r)
	if reply.Status != http.StatusOK {
		var refused struct {
			Code    codes.Code `json:"code"`
			Message string     `json:"message"`
		}
		if err := json.Unmarshal(reply.Body, &refused); err != nil {
			return into, status.Error(codes.Internal, "unknown error")
		}
		return into, status.Error(refused.Code, refused.Message)
	}
	if err := protojson.Unmarshal(reply.Body, into); err != nil {
		return into, status.Error(codes.Internal, "unreadable answer")
	}
	return into, nil
}
