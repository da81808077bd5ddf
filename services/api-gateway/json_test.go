package apigateway_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/internal/vectors"
)

// exchange is a case of the JSON gateway.
type exchange struct {
	Method      string          `json:"http_method"`
	Path        string          `json:"path"`
	Request     string          `json:"request_body"`
	Status      int             `json:"status"`
	ContentType string          `json:"content_type"`
	Body        json.RawMessage `json:"response_body"`
	Text        string          `json:"response_text"`
}

func (g *gateway) exchange(t *testing.T, c exchange) {
	request, err := http.NewRequestWithContext(t.Context(), c.Method, "http://"+g.service.Addr("json").String()+c.Path, bytes.NewBufferString(c.Request))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, c.Status, response.StatusCode, string(body))
	require.Equal(t, c.ContentType, response.Header.Get("Content-Type"))
	if c.Body == nil {
		require.Equal(t, c.Text, string(body))
		return
	}
	require.JSONEq(t, space(string(c.Body)), space(string(body)))
}

// space takes out what the library of messages varies between builds, so that
// nobody relies on it.
func space(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

func TestJSON(t *testing.T) {
	g := start(t)
	submit(t, g)
	vectors.Run(t, "api/json_gateway", g.exchange)
}

// submit brings the world to where v1_query leaves it.
func submit(t *testing.T, g *gateway) {
	m := lookup(t, "spacemesh.v2alpha1.TransactionService.SubmitTransaction")
	raw, err := json.Marshal(map[string][]byte{"transaction": g.Seed.Mempool.Raw})
	require.NoError(t, err)
	require.NoError(t, g.conn.Invoke(t.Context(), m.path, decode(t, raw, m.request()), m.answer()))
	err = g.conn.Invoke(t.Context(), m.path, decode(t, raw, m.request()), m.answer())
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	require.ErrorContains(t, err, "tx already exists")
}
