package apigateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is sent to the JSON listener, the answer is JSON with a code and a text, and
// nothing is the server's fault.
func TestMalformedJSON(t *testing.T) {
	g := start(t)
	base := "http://" + g.service.Addr("json").String()
	send := func(method, path, body string) (int, map[string]any) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		raw, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		var said map[string]any
		require.NoError(t, json.Unmarshal(raw, &said), "%s", raw)
		return response.StatusCode, said
	}
	const layers = "/spacemesh.v2alpha1.LayerService/List"
	for _, body := range []string{
		"", "{", "\x00", "null,", "[]", `"text"`, "\xff\xfe", strings.Repeat("[", 1<<16), strings.Repeat(`{"startLayer":`, 1<<12),
		`{"startLayer":"x"}`, `{"startLayer":-1}`, `{"startLayer":4294967296}`, `{"startLayer":1e400}`, `{"limit":"ten"}`,
		`{"limit":18446744073709551616}`, `{"startLayer":5,"endLayer":4,"limit":101}`, strings.Repeat(" ", 12<<20) + "x",
	} {
		code, said := send(http.MethodPost, layers, body)
		require.Equal(t, http.StatusBadRequest, code, "%.60q: %v", body, said)
		require.EqualValues(t, 3, said["code"], "%.60q: %v", body, said)
		require.NotEmpty(t, said["message"])
	}
	for _, c := range []struct {
		method, path string
		code         int
	}{
		{http.MethodGet, "/", http.StatusNotFound},
		{http.MethodPost, "/spacemesh.v2alpha1.LayerService/Nothing", http.StatusNotFound},
		{http.MethodPost, "/" + strings.Repeat("a", 8000), http.StatusNotFound},
		{http.MethodDelete, layers, http.StatusNotImplemented},
	} {
		code, said := send(c.method, c.path, "{}")
		require.Equal(t, c.code, code, "%.60s: %v", c.path, said)
	}
	code, _ := send(http.MethodPost, layers, `{"limit":1}`)
	require.Equal(t, http.StatusOK, code)
}
