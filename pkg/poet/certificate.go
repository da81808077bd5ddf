package poet

import (
	"bytes"
	"crypto/ed25519"
	"time"

	"github.com/smeshery/smeshery/pkg/codec"
)

// CertificateHintSize is how much of a certifier's key a hint holds (spec 03 §8.4).
const CertificateHintSize = 4

// Certificate is what a certifier signs: the identity may register (spec 03 §8.4).
type Certificate struct {
	Pubkey []byte
	// Expiration is in unix seconds; nil means never.
	Expiration *uint64
}

// Code is the signed form. A tag other than 1 counts as no expiration.
func (c *Certificate) Code(coder *codec.Coder) {
	coder.Bytes(&c.Pubkey, 32)
	tag := uint8(0)
	if c.Expiration != nil {
		tag = 1
	}
	coder.U8(&tag)
	if tag != 1 {
		c.Expiration = nil
		return
	}
	if c.Expiration == nil {
		c.Expiration = new(uint64)
	}
	coder.Compact64(c.Expiration)
}

// SignedCertificate is a certificate as it travels.
type SignedCertificate struct {
	Data      []byte
	Signature []byte
}

// SignCertificate signs with a certifier's key.
func SignCertificate(key ed25519.PrivateKey, c Certificate) (SignedCertificate, error) {
	data, err := codec.Encode(&c)
	if err != nil {
		return SignedCertificate{}, err
	}
	return SignedCertificate{Data: data, Signature: ed25519.Sign(key, data)}, nil
}

// VerifyCertificate checks that a certifier allowed an identity to register at
// this time (spec 03 §8.4). Errors are RuleErrors.
func VerifyCertificate(signed SignedCertificate, certifier ed25519.PublicKey, nodeID []byte, now time.Time) (Certificate, error) {
	if len(certifier) != ed25519.PublicKeySize || !ed25519.Verify(certifier, signed.Data, signed.Signature) {
		return Certificate{}, RuleCertificateSignature.Broken()
	}
	var c Certificate
	if _, err := codec.DecodePrefix(signed.Data, &c); err != nil {
		return Certificate{}, RuleCertificateData.because("%v", err)
	}
	if !bytes.Equal(c.Pubkey, nodeID) {
		return Certificate{}, RuleCertificatePubkey.Broken()
	}
	if c.expired(now) {
		return c, RuleCertificateExpired.because("%v", time.Unix(int64(*c.Expiration), 0).UTC())
	}
	return c, nil
}

// expired reports whether the last second of validity began before now.
func (c *Certificate) expired(now time.Time) bool {
	seconds := now.Unix()
	if c.Expiration == nil || seconds < 0 {
		return false
	}
	at := *c.Expiration
	return at < uint64(seconds) || at == uint64(seconds) && now.Nanosecond() > 0
}
