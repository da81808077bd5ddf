package certifier

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Why a certificate is not accepted.
var (
	ErrSignature = errors.New("certifier: signature mismatch")
	ErrDecode    = errors.New("certifier: certificate does not decode")
	ErrPublicKey = errors.New("certifier: certificate is for another public key")
	ErrExpired   = errors.New("certifier: certificate has expired")
	ErrResponse  = errors.New("certifier: bad response")
)

// Certificate says that its owner has proved its data.
type Certificate struct {
	PublicKey  []byte  // at most 32 bytes
	Expiration *uint64 // unix seconds; nil never expires
}

const maxPublicKey = 32

// Code implements codec.Message.
func (c *Certificate) Code(co *codec.Coder) {
	co.Bytes(&c.PublicKey, maxPublicKey)
	co.OptionalCompact64(&c.Expiration)
}

// New certifies a node, until expiration if that is not zero.
func New(id wire.NodeID, expiration time.Time) *Certificate {
	c := &Certificate{PublicKey: id[:]}
	if !expiration.IsZero() {
		unix := uint64(max(expiration.Unix(), 0))
		c.Expiration = &unix
	}
	return c
}

// Sign encodes the certificate and signs exactly those bytes, without a domain.
func (c *Certificate) Sign(key ed25519.PrivateKey) (encoded, signature []byte) {
	encoded = codec.MustEncode(c)
	return encoded, ed25519.Sign(key, encoded)
}

// Verify checks a certificate for a node at a time: signature, encoding, key and
// expiration, in this order.
func Verify(encoded, signature []byte, certifier ed25519.PublicKey, id wire.NodeID, now time.Time) (*Certificate, error) {
	if len(certifier) != ed25519.PublicKeySize || !ed25519.Verify(certifier, encoded, signature) {
		return nil, ErrSignature
	}
	var c Certificate
	if _, err := codec.DecodePrefix(encoded, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	if string(c.PublicKey) != string(id[:]) {
		return nil, ErrPublicKey
	}
	if c.Expiration != nil && *c.Expiration < uint64(max(now.Unix(), 0)) {
		return nil, ErrExpired
	}
	return &c, nil
}

// Request is the body of POST /certify.
type Request struct {
	Proof    post.Proof     `json:"proof"`
	Metadata post.Statement `json:"metadata"`
}

// Response is the body of its answer; bytes are base64.
type Response struct {
	Certificate []byte `json:"certificate"`
	Signature   []byte `json:"signature"`
	PublicKey   []byte `json:"pub_key"`
}

// ParseResponse reads an answer and checks that it comes from the certifier that
// was asked, for the node that asked (spec 02 §16, node client).
func ParseResponse(raw []byte, certifier ed25519.PublicKey, id wire.NodeID, now time.Time) (*Response, error) {
	var r Response
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	if string(r.PublicKey) != string(certifier) {
		return nil, fmt.Errorf("%w: signed by %x", ErrResponse, r.PublicKey)
	}
	if _, err := Verify(r.Certificate, r.Signature, certifier, id, now); err != nil {
		return nil, err
	}
	return &r, nil
}
