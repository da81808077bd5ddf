package poetclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
)

// maxResponse bounds an answer. A proof with the most members that a server can
// publish has less than 12 MB.
const maxResponse = 64 << 20

// Config says how to talk to a PoET.
type Config struct {
	// Address is the server's URL; http is assumed without a scheme.
	Address string
	// MaxRetries bounds the retries of everything but registrations.
	MaxRetries int
	// RetryDelay is the unit of waiting (spec 03 §14.2).
	RetryDelay time.Duration
	// HTTP is http.DefaultClient if nil.
	HTTP *http.Client
}

// Client asks one PoET. It is safe for use by many goroutines.
type Client struct {
	cfg  Config
	base *url.URL
}

// New prepares a client; the address has to parse.
func New(cfg Config) (*Client, error) {
	if !strings.Contains(cfg.Address, "://") {
		cfg.Address = "http://" + cfg.Address
	}
	base, err := url.Parse(cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("poet address: %w", err)
	}
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultClient
	}
	return &Client{cfg: cfg, base: base}, nil
}

// Address is the normalised URL, the PoET's name inside a node.
func (c *Client) Address() string { return c.base.String() }

// Info asks what the server says about itself.
func (c *Client) Info(ctx context.Context) (rest.Info, error) {
	return call(ctx, c, rest.OpInfo, "info", []byte("{}"), rest.ParseInfo)
}

// PowParams asks what a proof of work has to solve.
func (c *Client) PowParams(ctx context.Context) (poet.PowParams, error) {
	return call(ctx, c, rest.OpPowParams, "pow_params", []byte("{}"), rest.ParsePowParams)
}

// Proof asks for a finished round and waits for it as long as retries last.
func (c *Client) Proof(ctx context.Context, round string) (rest.Proof, error) {
	return call(ctx, c, rest.OpProof, "proofs/"+url.PathEscape(round), []byte("{}"), rest.ParseProof)
}

// Submit registers a challenge and tries until the context ends.
func (c *Client) Submit(ctx context.Context, request *rest.SubmitRequest) (rest.Registered, error) {
	return call(ctx, c, rest.OpSubmit, "submit", request.Body(), rest.ParseRegistered)
}

func call[T any](ctx context.Context, c *Client, op rest.Operation, path string, body []byte, parse func([]byte) (T, error)) (T, error) {
	var none T
	method := http.MethodGet
	if op == rest.OpSubmit {
		method = http.MethodPost
	}
	target := c.base.JoinPath("v1", path).String()
	answer, err := c.try(ctx, op, func() (int, []byte, error) {
		return exchange(ctx, c.cfg.HTTP, method, target, body)
	})
	if err != nil {
		return none, err
	}
	value, err := parse(answer)
	if err != nil {
		return none, fmt.Errorf("%w: %w", rest.ErrMalformed, err)
	}
	return value, nil
}

// try repeats a request for as long as its operation says.
func (c *Client) try(ctx context.Context, op rest.Operation, request func() (int, []byte, error)) ([]byte, error) {
	for retry := 1; ; retry++ {
		status, answer, err := request()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && isPermanent(err):
			return nil, err
		case err == nil && !op.Retryable(status):
			return answer, withAnswer(rest.Outcome(status), status, answer)
		case !op.Endless() && retry > c.cfg.MaxRetries:
			return nil, fmt.Errorf("%w after %d retries: status %d: %w", rest.ErrGaveUp, c.cfg.MaxRetries, status, orNone(err))
		}
		if err := pause(ctx, op.Wait(retry, c.cfg.RetryDelay, rand.Float64())); err != nil {
			return nil, err
		}
	}
}

var errNone = errors.New("server unavailable")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

func withAnswer(err error, status int, answer []byte) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: status %d: %.200q", err, status, answer)
}

// isPermanent tells failures that another try cannot mend.
func isPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	if errors.As(err, &certificate) || errors.As(err, &authority) {
		return true
	}
	for _, text := range []string{"unsupported protocol scheme", "stopped after", "invalid header"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func exchange(ctx context.Context, client *http.Client, method, target string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	return response.StatusCode, answer, err
}
