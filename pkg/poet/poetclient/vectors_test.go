package poetclient_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/poetclient"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/wire"
)

type (
	hexBytes = vectors.Hex
	decimal  = vectors.Uint64
)

type serverStep struct {
	Status int
	Body   string
}

type clientCase struct {
	Kind string

	GenesisID   hexBytes `json:"genesis_id"`
	Seed        hexBytes
	NodeID      hexBytes `json:"node_id"`
	Challenge   hexBytes
	Deadline    decimal `json:"deadline_unix_ns"`
	Pow         *powVector
	Certificate *certificateVector
	Prefix      hexBytes
	Signature   hexBytes
	Method      string
	Path        string
	ContentType string `json:"content_type"`
	Body        string

	Operation   string
	MaxRetries  int             `json:"max_request_retries"`
	Steps       []serverStep    `json:"server_steps"`
	RequestBody *string         `json:"request_body"`
	Made        json.RawMessage `json:"requests_made"`
	Result      string
}

type powVector struct {
	Challenge  hexBytes
	Difficulty uint32
	Nonce      decimal
}

type certificateVector struct{ Data, Signature hexBytes }

type seen struct{ method, path, contentType, body string }

// script answers with one step after the other and repeats the last; after
// patience requests it ends the caller's context.
func script(t *testing.T, steps []serverStep, patience int, end func()) (*httptest.Server, *[]seen) {
	requests := new([]seen)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		*requests = append(*requests, seen{r.Method, r.URL.Path, r.Header.Get("Content-Type"), string(body)})
		if len(*requests) == patience {
			end()
		}
		s := steps[min(len(*requests), len(steps))-1]
		w.WriteHeader(s.Status)
		_, _ = io.WriteString(w, s.Body)
	}))
	t.Cleanup(server.Close)
	return server, requests
}

func TestVectorNodeClient(t *testing.T) {
	vectors.Run(t, "poet/node_poet_client", func(t *testing.T, c clientCase) {
		switch c.Kind {
		case "submit_request":
			checkSubmitRequest(t, c)
		case "http":
			checkExchange(t, c)
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func newClient(t *testing.T, address string, retries int) *poetclient.Client {
	client, err := poetclient.New(poetclient.Config{Address: address, MaxRetries: retries, RetryDelay: time.Microsecond})
	require.NoError(t, err)
	return client
}

func checkSubmitRequest(t *testing.T, c clientCase) {
	deadline := time.Unix(0, int64(c.Deadline))
	request := rest.SubmitRequest{
		Prefix:    rest.SigningPrefix(c.GenesisID),
		Challenge: c.Challenge,
		Pubkey:    c.NodeID,
		Deadline:  &deadline,
	}
	message := append(append([]byte(nil), request.Prefix...), request.Challenge...)
	request.Signature = ed25519.Sign(ed25519.NewKeyFromSeed(c.Seed), message)
	if c.Pow != nil {
		request.Nonce = uint64(c.Pow.Nonce)
		request.Pow = poet.PowParams{Challenge: c.Pow.Challenge, Difficulty: c.Pow.Difficulty}
	}
	if c.Certificate != nil {
		request.Certificate = &poet.SignedCertificate{Data: c.Certificate.Data, Signature: c.Certificate.Signature}
	}
	require.Equal(t, []byte(c.Prefix), request.Prefix)
	require.Equal(t, []byte(c.Signature), request.Signature)

	server, requests := script(t, []serverStep{{200, "{}"}}, 0, nil)
	_, err := newClient(t, server.URL, 0).Submit(context.Background(), &request)
	require.NoError(t, err)
	require.Equal(t, []seen{{c.Method, c.Path, c.ContentType, c.Body}}, *requests)

	parsed, err := rest.ParseSubmit([]byte(c.Body))
	require.NoError(t, err)
	require.Equal(t, c.Body, string(parsed.Body()))
}

func checkExchange(t *testing.T, c clientCase) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var made int
	patience := 20
	if json.Unmarshal(c.Made, &made) == nil {
		patience = 0
	}
	server, requests := script(t, c.Steps, patience, func() { cancel(nil) })
	err := operate(ctx, newClient(t, server.URL, c.MaxRetries), c.Operation)
	if patience > 0 {
		require.Equal(t, "deadline_exceeded", c.Result)
		require.ErrorIs(t, err, context.Canceled)
		made = patience
	} else {
		require.Equal(t, c.Result, resultOf(err), "%v", err)
	}
	require.Len(t, *requests, made)
	for _, request := range *requests {
		require.Equal(t, c.Path, request.path)
		if c.RequestBody != nil {
			require.Equal(t, *c.RequestBody, request.body)
		}
	}
}

func operate(ctx context.Context, client *poetclient.Client, operation string) (err error) {
	switch operation {
	case "info":
		_, err = client.Info(ctx)
	case "pow_params":
		_, err = client.PowParams(ctx)
	case "proof":
		_, err = client.Proof(ctx, "3")
	case "submit":
		_, err = client.Submit(ctx, &rest.SubmitRequest{})
	default:
		err = errors.New("unknown operation " + operation)
	}
	return err
}

func resultOf(err error) string {
	for name, want := range map[string]error{
		"invalid_request":    rest.ErrInvalidRequest,
		"unauthorized":       rest.ErrUnauthorized,
		"unrecognized":       rest.ErrUnrecognized,
		"gave_up":            rest.ErrGaveUp,
		"malformed_response": rest.ErrMalformed,
	} {
		if errors.Is(err, want) {
			return name
		}
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func TestVectorCertifierClient(t *testing.T) {
	type postVector struct {
		Nonce         uint32
		Indices       hexBytes
		Pow           decimal
		Challenge     hexBytes
		NumUnits      uint32   `json:"num_units"`
		CommitmentATX hexBytes `json:"commitment_atx"`
	}
	type certifyCase struct {
		NodeID         hexBytes `json:"node_id"`
		Post           postVector
		Pubkey         hexBytes `json:"expected_certifier_pubkey"`
		Path           string
		RequestBody    string `json:"request_body"`
		ResponseStatus int    `json:"response_status"`
		ResponseBody   string `json:"response_body"`
		Accepted       bool
		Made           int `json:"requests_made"`
	}
	vectors.Run(t, "poet/certifier_client", func(t *testing.T, c certifyCase) {
		server, requests := script(t, []serverStep{{c.ResponseStatus, c.ResponseBody}}, 0, nil)
		cfg := poetclient.CertifierConfig{
			MaxRetries: 2, RetryDelay: time.Microsecond, MaxRetryDelay: time.Millisecond,
			Now: func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) },
		}
		at := rest.CertifierInfo{URL: server.URL, Pubkey: c.Pubkey}
		_, err := poetclient.Certify(context.Background(), cfg, at, &rest.CertifyRequest{
			Post:          wire.PostV1{Nonce: c.Post.Nonce, Indices: c.Post.Indices, Pow: uint64(c.Post.Pow)},
			NodeID:        wire.NodeID(c.NodeID.Array32()),
			CommitmentATX: wire.ATXID(c.Post.CommitmentATX.Array32()),
			Challenge:     c.Post.Challenge,
			NumUnits:      c.Post.NumUnits,
		})
		require.Equal(t, c.Accepted, err == nil, "%v", err)
		require.Len(t, *requests, c.Made)
		require.Equal(t, c.Path, (*requests)[0].path)
		require.Equal(t, c.RequestBody, (*requests)[0].body)
	})
}
