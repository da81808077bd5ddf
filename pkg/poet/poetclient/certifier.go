package poetclient

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
)

// CertifierConfig bounds the tries at a certifier (spec 03 §15.1).
type CertifierConfig struct {
	MaxRetries    int
	RetryDelay    time.Duration
	MaxRetryDelay time.Duration
	// HTTP is http.DefaultClient if nil.
	HTTP *http.Client
	// Now is the clock that certificates are checked against.
	Now func() time.Time
}

// Certify asks the certifier that a PoET advertises for a certificate, which
// has to be valid for the identity of the request.
func Certify(ctx context.Context, cfg CertifierConfig, at rest.CertifierInfo, request *rest.CertifyRequest) (poet.SignedCertificate, error) {
	target, err := url.JoinPath(at.URL, rest.CertifyPath)
	if err != nil {
		return poet.SignedCertificate{}, fmt.Errorf("certifier address: %w", err)
	}
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultClient
	}
	delay := cfg.RetryDelay
	for retry := 0; ; retry++ {
		status, answer, err := exchange(ctx, cfg.HTTP, http.MethodPost, target, request.Body())
		switch {
		case ctx.Err() != nil:
			return poet.SignedCertificate{}, ctx.Err()
		case err == nil && status == http.StatusOK:
			return rest.ParseCertified(answer, ed25519.PublicKey(at.Pubkey), request.NodeID, cfg.Now())
		case err == nil && !rest.RetryableCertify(status), err != nil && isPermanent(err), retry >= cfg.MaxRetries:
			return poet.SignedCertificate{}, fmt.Errorf("certifier: status %d: %.200q: %w", status, answer, orNone(err))
		}
		if err := pause(ctx, delay); err != nil {
			return poet.SignedCertificate{}, err
		}
		delay = min(2*delay, cfg.MaxRetryDelay)
	}
}
