package rest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
)

// Gate decides who may register (spec 03 §8.2 checks 1–5). It holds no state
// of a round.
type Gate struct {
	// Certifier is nil if certificates are not looked at.
	Certifier *TrustedKeys
	Pow       PowRotation
}

// PowRotation holds the proof-of-work parameters that are accepted.
type PowRotation struct {
	Current poet.PowParams
	// Previous is nil until the first proof.
	Previous *poet.PowParams
}

// After is the rotation once a round's proof is finished (spec 03 §8.3).
func (p PowRotation) After(root []byte) PowRotation {
	previous := p.Current
	return PowRotation{
		Current:  poet.PowParams{Challenge: root, Difficulty: p.Current.Difficulty},
		Previous: &previous,
	}
}

func (p PowRotation) accepts(params poet.PowParams) bool {
	return params.Equal(p.Current) || p.Previous != nil && params.Equal(*p.Previous)
}

// Check refuses a request, or returns nil. roundEnd is that of the open round.
func (g *Gate) Check(r *SubmitRequest, roundEnd, now time.Time) *Status {
	switch {
	case len(r.Pubkey) != ed25519.PublicKeySize:
		return refuse(CodeInvalidArgument, "invalid public key")
	case len(r.Challenge) != len(poet.Node{}):
		return refuse(CodeInvalidArgument, "invalid challenge")
	case !ed25519.Verify(r.Pubkey, slices.Concat(r.Prefix, r.Challenge), r.Signature):
		return refuse(CodeInvalidArgument, "invalid signature")
	case len(r.Hint) != 0 && len(r.Hint) != poet.CertificateHintSize:
		return refuse(CodeInvalidArgument, "invalid certificate public key hint")
	}
	if status := g.authorise(r, now); status != nil {
		return status
	}
	if r.Deadline != nil && roundEnd.After(*r.Deadline) {
		return refuse(CodeFailedPrecondition, "too late to register for the desired round")
	}
	return nil
}

func (g *Gate) authorise(r *SubmitRequest, now time.Time) *Status {
	if g.Certifier != nil && r.Certificate != nil {
		if err := g.Certifier.Verify(*r.Certificate, r.Hint, r.Pubkey, now); err != nil {
			return refuse(CodeUnauthenticated, "invalid certificate\n"+err.Error())
		}
		return nil
	}
	if !g.Pow.accepts(r.Pow) {
		return refuse(CodeInvalidArgument, "invalid proof of work parameters")
	}
	if err := poet.VerifyPow(r.Pow, r.Pubkey, r.Challenge, r.Nonce); err != nil {
		return refuse(CodeInvalidArgument, "invalid proof of work: invalid leading zero bits")
	}
	return nil
}

// Errors of certificates as the interface words them.
var (
	errNoKey       = errors.New("no matching cert public keys")
	errCertificate = errors.New("invalid certificate")
	errSignature   = errors.New("signature mismatch")
	errPubkey      = errors.New("pubkey mismatch")
)

// TrustedKeys are the certifier keys that a server accepts (spec 03 §8.4).
type TrustedKeys struct {
	// Default is used without a hint; empty if there is none.
	Default ed25519.PublicKey
	// More are used by hint only.
	More []ed25519.PublicKey
}

// ParseKeyFile reads a file of the trusted keys directory.
func ParseKeyFile(content []byte) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(content, []byte("\n"))))
	if err != nil {
		return nil, err
	}
	if len(key) != ed25519.PublicKeySize {
		return nil, errors.New("a certifier key has 32 bytes")
	}
	return key, nil
}

// Verify checks a certificate with the default key, or with all that the hint fits.
func (k *TrustedKeys) Verify(c poet.SignedCertificate, hint, nodeID []byte, now time.Time) error {
	if len(hint) == 0 {
		if len(k.Default) == 0 {
			return errNoKey
		}
		_, err := poet.VerifyCertificate(c, k.Default, nodeID, now)
		return worded(err)
	}
	verdict := errNoKey
	for _, key := range append([]ed25519.PublicKey{k.Default}, k.More...) {
		if !bytes.HasPrefix(key, hint) {
			continue
		}
		if _, err := poet.VerifyCertificate(c, key, nodeID, now); err == nil {
			return nil
		}
		verdict = errCertificate
	}
	return verdict
}

func worded(err error) error {
	var broken *poet.RuleError
	if !errors.As(err, &broken) {
		return err
	}
	switch broken.Rule {
	case poet.RuleCertificateSignature:
		return errSignature
	case poet.RuleCertificatePubkey:
		return errPubkey
	case poet.RuleCertificateExpired:
		return errors.New("certificate expired at " + broken.Detail)
	default:
		return errors.New("decoding certificate: " + broken.Detail)
	}
}
