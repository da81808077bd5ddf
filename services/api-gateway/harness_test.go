package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/internal/seedtest"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
)

// gateway is a running gateway over the seed, with every service on the public
// listener.
type gateway struct {
	*seedtest.World
	service *apigateway.Service
	conn    *grpc.ClientConn
}

func start(t testing.TB, change ...func(*apigateway.Config)) *gateway {
	t.Helper()
	return (&gateway{World: seedtest.Start(t)}).another(t, change...)
}

// another starts one more gateway in the same world.
func (g *gateway) another(t testing.TB, change ...func(*apigateway.Config)) *gateway {
	t.Helper()
	g = &gateway{World: g.World}
	cfg := apigateway.DefaultConfig()
	cfg.Network, cfg.Version, cfg.Build = g.Seed.Network(), g.Seed.Version, g.Seed.Build
	cfg.PublicServices = append(append(cfg.PublicServices, cfg.PrivateServices...), "postInfo")
	cfg.CheckpointDir = t.TempDir()
	cfg.PublicListener, cfg.PrivateListener, cfg.JSONListener = "127.0.0.1:0", "", "127.0.0.1:0"
	for _, f := range change {
		f(&cfg)
	}
	var err error
	g.service, err = apigateway.New(cfg, g.deps(t))
	require.NoError(t, err)
	seedtest.Run(t, g.service)
	g.conn = dial(t, g.service.Addr("public").String())
	return g
}

func (g *gateway) deps(t testing.TB) apigateway.Deps {
	d := apigateway.Deps{
		DB: seedtest.Reader(t, g.URL), Bus: g.Connect(bus.APIService), Now: g.Seed.Now,
		Levels: map[string]*slog.LevelVar{"mesh": {}, "hare": {}},
	}
	return d.WithGiven(newSmeshing(t, g.Seed), others{}, network.PostParams{LabelsPerUnit: 512, MinNumUnits: 1, MaxNumUnits: 100, K1: 26, K2: 37})
}

func dial(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// method is a method by its name in vectors; its messages are empty if the
// release of the API no longer has it.
type method struct {
	path            string
	request, answer func() proto.Message
}

func lookup(t testing.TB, name string) method {
	t.Helper()
	dot := strings.LastIndex(name, ".")
	m := method{path: "/" + name[:dot] + "/" + name[dot+1:]}
	nothing := func() proto.Message { return &emptypb.Empty{} }
	m.request, m.answer = nothing, nothing
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return m
	}
	desc := d.(protoreflect.MethodDescriptor)
	m.request, m.answer = maker(t, desc.Input()), maker(t, desc.Output())
	return m
}

func maker(t testing.TB, d protoreflect.MessageDescriptor) func() proto.Message {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	require.NoError(t, err)
	return func() proto.Message { return kind.New().Interface() }
}

func decode(t testing.TB, raw json.RawMessage, m proto.Message) proto.Message {
	t.Helper()
	require.NoError(t, protojson.Unmarshal(raw, m), string(raw))
	return m
}

// refusal is an error of a vector.
type refusal struct {
	Code    codes.Code `json:"code"`
	Name    string     `json:"code_name"`
	Message string     `json:"message"`
}

func (r *refusal) check(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	s := status.Convert(err)
	require.Equal(t, r.Code.String(), s.Code().String(), s.Message())
	require.Equal(t, r.Name, s.Code().String())
	require.Equal(t, r.Message, s.Message())
	require.Empty(t, s.Details())
}

// query is a case of a unary method.
type query struct {
	Method   string          `json:"method"`
	Request  json.RawMessage `json:"request"`
	Response json.RawMessage `json:"response"`
	Wire     string          `json:"response_wire"`
	Error    *refusal        `json:"error"`
	Override struct {
		Synced *bool `json:"synced"`
	} `json:"state_override"`
}

func (g *gateway) query(t *testing.T, c query) {
	if c.Override.Synced != nil {
		g.Synced.Store(*c.Override.Synced)
		defer g.Synced.Store(g.Seed.Synced)
	}
	m := lookup(t, c.Method)
	request := m.request()
	if _, removed := request.(*emptypb.Empty); !removed || len(c.Request) > 2 {
		decode(t, c.Request, request)
	}
	got := m.answer()
	err := g.conn.Invoke(t.Context(), m.path, request, got)
	if c.Error != nil {
		c.Error.check(t, err)
		return
	}
	require.NoError(t, err)
	same(t, decode(t, c.Response, m.answer()), got)
}

// same compares messages and, where they differ, shows them.
func same(t testing.TB, want, got proto.Message) {
	t.Helper()
	if !proto.Equal(want, got) {
		require.JSONEq(t, protojson.Format(want), protojson.Format(got))
		require.Fail(t, "messages differ in what JSON does not show")
	}
}

// collect reads a stream until it ends, or until quiet says that it is enough.
func collect(ctx context.Context, t testing.TB, g *gateway, m method, request proto.Message, enough int) ([]proto.Message, error) {
	t.Helper()
	stream, err := g.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, m.path)
	require.NoError(t, err)
	require.NoError(t, stream.SendMsg(request))
	require.NoError(t, stream.CloseSend())
	var out []proto.Message
	for len(out) != enough {
		answer := m.answer()
		if err := stream.RecvMsg(answer); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, err
		}
		out = append(out, answer)
	}
	return out, nil
}

const patience = 20 * time.Second
