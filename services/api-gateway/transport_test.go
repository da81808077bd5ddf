package apigateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	alpha "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	beta "github.com/spacemeshos/api/release/go/spacemesh/v2beta1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	apigateway "github.com/smeshery/smeshery/services/api-gateway"
)

func TestEveryListenerHasHealthAndReflection(t *testing.T) {
	g := start(t, func(c *apigateway.Config) {
		c.PrivateListener, c.PublicServices = "127.0.0.1:0", []string{"node_v2beta1"}
		c.JSONListener = ""
	})
	for _, name := range []string{"public", "private"} {
		conn := dial(t, g.service.Addr(name).String())
		h, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
		require.NoError(t, err)
		require.Equal(t, healthpb.HealthCheckResponse_SERVING, h.Status)
		stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{
			MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
		}))
		answer, err := stream.Recv()
		require.NoError(t, err)
		require.NotEmpty(t, answer.GetListServicesResponse().GetService())
	}
	require.Nil(t, g.service.Addr("json"))
	_, err := alpha.NewNetworkServiceClient(g.conn).Info(t.Context(), &alpha.NetworkInfoRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err), "it is not in the listener's list")
}

func TestWhatOperatorsGetWrong(t *testing.T) {
	g := start(t)
	for name, c := range map[string]struct {
		change func(*apigateway.Config)
		want   string
	}{
		"twice":   {func(c *apigateway.Config) { c.PublicServices = []string{"node", "node"} }, "can't start more than one node on public grpc endpoint"},
		"unknown": {func(c *apigateway.Config) { c.PrivateServices = []string{"nobody"} }, "unknown service nobody"},
		"json": {func(c *apigateway.Config) {
			c.PublicServices, c.JSONListener = nil, "127.0.0.1:0"
		}, "start json server without public services"},
		"tls":  {func(c *apigateway.Config) { c.TLSListener = "127.0.0.1:0" }, "the tls listener needs"},
		"size": {func(c *apigateway.Config) { c.ReceiveSize = 0 }, "message sizes must be positive"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := apigateway.DefaultConfig()
			cfg.Network = g.Seed.Network()
			c.change(&cfg)
			_, err := apigateway.New(cfg, g.deps(t))
			require.ErrorContains(t, err, c.want)
		})
	}
	cfg := apigateway.DefaultConfig()
	cfg.Network, cfg.PublicListener = g.Seed.Network(), g.service.Addr("public").String()
	s, err := apigateway.New(cfg, g.deps(t))
	require.NoError(t, err)
	require.Error(t, s.Run(t.Context()), "the address is taken")
}

func TestV2betaOverGET(t *testing.T) {
	g := start(t)
	get := func(path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.service.Addr("json").String()+path, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	code, body := get("/spacemesh.v2beta1.AccountService/List?limit=2&addresses=" + g.Seed.Accounts[0].Address + "&addresses=" + g.Seed.Accounts[1].Address)
	require.Equal(t, http.StatusOK, code, body)
	var list struct {
		Accounts []json.RawMessage `json:"accounts"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list.Accounts, 2)
	code, body = get("/spacemesh.v2beta1.AccountService/List?limit=x")
	require.Equal(t, http.StatusBadRequest, code, body)
	code, body = get("/spacemesh.v2beta1.TransactionService/SubmitTransaction")
	require.Equal(t, http.StatusNotImplemented, code, body)
}

func TestPagesOfOtherOrigins(t *testing.T) {
	for _, c := range []struct {
		allowed []string
		origin  string
		want    string
	}{
		{[]string{""}, "https://explorer.example", ""},
		{[]string{"*"}, "https://explorer.example", "*"},
		{[]string{"https://explorer.example"}, "https://explorer.example", "https://explorer.example"},
		{[]string{"https://explorer.example"}, "https://other.example", ""},
		{[]string{"https://*.example"}, "https://other.example", "https://other.example"},
	} {
		g := start(t, func(cfg *apigateway.Config) { cfg.CORSOrigins = c.allowed })
		for _, method := range []string{http.MethodPost, http.MethodOptions} {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.service.Addr("json").String()+"/spacemesh.v2alpha1.NetworkService/Info", nil)
			require.NoError(t, err)
			r.Header.Set("Origin", c.origin)
			want := http.StatusOK
			if method == http.MethodOptions {
				r.Header.Set("Access-Control-Request-Method", http.MethodPost)
				want = http.StatusNoContent
			}
			response, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			_ = response.Body.Close()
			require.Equal(t, want, response.StatusCode)
			require.Equal(t, c.want, response.Header.Get("Access-Control-Allow-Origin"))
			require.Empty(t, response.Header.Get("Access-Control-Allow-Credentials"))
		}
	}
}

// broken panics on every call.
type broken struct {
	beta.UnimplementedNodeServiceServer
}

func (broken) Status(context.Context, *beta.NodeStatusRequest) (*beta.NodeStatusResponse, error) {
	panic("as a bug would")
}

func TestAPanicEndsTheCallOnly(t *testing.T) {
	service := apigateway.ServiceOf("broken", func(r grpc.ServiceRegistrar) { beta.RegisterNodeServiceServer(r, broken{}) },
		func(ctx context.Context, mux *runtime.ServeMux) error {
			return beta.RegisterNodeServiceHandlerServer(ctx, mux, broken{})
		})
	address, handler := apigateway.ServeOne(t, service)
	client := beta.NewNodeServiceClient(dial(t, address))
	for range 2 {
		_, err := client.Status(t.Context(), &beta.NodeStatusRequest{})
		require.Equal(t, codes.Internal, status.Code(err))
		require.Equal(t, "internal error", status.Convert(err).Message())
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/spacemesh.v2beta1.NodeService/Status", nil))
		require.Equal(t, http.StatusInternalServerError, w.Code)
		require.JSONEq(t, `{"code":13,"message":"internal error","details":[]}`, w.Body.String())
	}
}

func TestALargeBodyIsRefused(t *testing.T) {
	g := start(t, func(cfg *apigateway.Config) { cfg.ReceiveSize = 1 << 10 })
	body := `{"limit":1,"addresses":["` + strings.Repeat("x", 2<<10) + `"]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.service.Addr("json").String()+"/spacemesh.v2alpha1.AccountService/List", strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_ = response.Body.Close()
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	_, err = alpha.NewAccountServiceClient(g.conn).List(t.Context(), &alpha.AccountRequest{Limit: 1, Addresses: []string{strings.Repeat("x", 2<<10)}})
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
}
