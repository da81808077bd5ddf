package apigateway_test

import (
	"context"
	"testing"
	"time"

	v1 "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/smeshery/smeshery/pkg/wire"
)

// methods of v1 that take what a client likes, by their files.
func fuzzed(t testing.TB) (out []method) {
	for _, file := range []protoreflect.FileDescriptor{
		v1.File_spacemesh_v1_node_proto, v1.File_spacemesh_v1_mesh_proto, v1.File_spacemesh_v1_global_state_proto,
		v1.File_spacemesh_v1_tx_proto, v1.File_spacemesh_v1_activation_proto, v1.File_spacemesh_v1_debug_proto,
		v1.File_spacemesh_v1_smesher_proto,
	} {
		for s := range file.Services().Len() {
			service := file.Services().Get(s)
			for m := range service.Methods().Len() {
				if d := service.Methods().Get(m); !d.IsStreamingServer() {
					out = append(out, lookup(t, string(d.FullName())))
				}
			}
		}
	}
	return out
}

// FuzzV1Requests sends whatever bytes to every unary method: clients are told what
// is wrong, and nothing fails on our side.
func FuzzV1Requests(f *testing.F) {
	g := start(f)
	all := fuzzed(f)
	for i, m := range all {
		f.Add(uint8(i), []byte{})
		raw, err := proto.Marshal(m.request())
		require.NoError(f, err)
		f.Add(uint8(i), raw)
	}
	seeds := []proto.Message{
		&v1.LayersQueryRequest{StartLayer: &v1.LayerNumber{}, EndLayer: &v1.LayerNumber{Number: 1<<32 - 1}},
		&v1.AccountMeshDataQueryRequest{
			Filter: &v1.AccountMeshDataFilter{AccountId: &v1.AccountId{Address: coinbaseText}, AccountMeshDataFlags: 7},
			Offset: 1<<32 - 1, MaxResults: 1<<32 - 1,
		},
		&v1.AccountDataQueryRequest{
			Filter: &v1.AccountDataFilter{AccountId: &v1.AccountId{Address: coinbaseText}, AccountDataFlags: 1<<32 - 1}, MaxResults: 1,
		},
		&v1.ParseTransactionRequest{Transaction: g.Seed.Mempool.Raw, Verify: true},
		&v1.TransactionsStateRequest{TransactionId: []*v1.TransactionId{nil, {Id: make([]byte, 100)}}, IncludeTransactions: true},
	}
	for _, m := range seeds {
		raw, err := proto.Marshal(m)
		require.NoError(f, err)
		for i := range all {
			f.Add(uint8(i), raw)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		m := all[int(which)%len(all)]
		request := m.request()
		if proto.Unmarshal(raw, request) != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := g.conn.Invoke(ctx, m.path, request, m.answer())
		switch status.Code(err) {
		case codes.OK, codes.InvalidArgument, codes.NotFound, codes.FailedPrecondition, codes.ResourceExhausted, codes.Unknown:
			return
		case codes.Internal: // what the specification calls so
			if m.path == "/spacemesh.v1.DebugService/ActiveSet" || m.path == "/spacemesh.v1.DebugService/Accounts" {
				return
			}
		}
		t.Fatalf("%s: %v", m.path, err)
	})
}

// TestStreamsRefuseNonsense sends malformed requests to streams.
func TestStreamsRefuseNonsense(t *testing.T) {
	g := start(t)
	for path, request := range map[string]proto.Message{
		"/spacemesh.v1.MeshService/AccountMeshDataStream":          &v1.AccountMeshDataStreamRequest{Filter: &v1.AccountMeshDataFilter{AccountMeshDataFlags: 1}},
		"/spacemesh.v1.GlobalStateService/AccountDataStream":       &v1.AccountDataStreamRequest{Filter: &v1.AccountDataFilter{AccountId: &v1.AccountId{}}},
		"/spacemesh.v1.GlobalStateService/GlobalStateStream":       &v1.GlobalStateStreamRequest{},
		"/spacemesh.v1.TransactionService/TransactionsStateStream": &v1.TransactionsStateStreamRequest{},
	} {
		stream, err := g.conn.NewStream(within(t), &grpc.StreamDesc{ServerStreams: true}, path)
		require.NoError(t, err)
		require.NoError(t, stream.SendMsg(request))
		require.NoError(t, stream.CloseSend())
		require.Equal(t, codes.InvalidArgument, status.Code(stream.RecvMsg(&v1.EchoRequest{})), path)
	}
	require.Zero(t, g.service.Hub().Subscriptions())
}

// TestRangesAreBoundedBeforeTheyAreRead asks for more than a message can hold.
func TestRangesAreBoundedBeforeTheyAreRead(t *testing.T) {
	g := start(t)
	began := time.Now()
	_, err := v1.NewMeshServiceClient(g.conn).LayersQuery(within(t), &v1.LayersQueryRequest{EndLayer: &v1.LayerNumber{Number: uint32(wire.LayerID(1<<32 - 1))}})
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	require.Less(t, time.Since(began), 5*time.Second)
}
