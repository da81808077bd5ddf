// Package rpc is the PoET interface over gRPC. A call is turned into the request
// of the HTTP interface with the same meaning and its answer back, so that both
// follow one set of rules (pkg/poet/rest).
//
// rpc.pb.go and rpc_grpc.pb.go are generated from rpc.proto.
package rpc

//go:generate ../../../../scripts/protoc services/poet/internal/rpc/rpc.proto
