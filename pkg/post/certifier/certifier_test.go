package certifier

import (
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

type certificateCase struct {
	NodeID       vectors.Hex `json:"node_id"`
	Expiration   *vectors.Uint64
	Seed         vectors.Hex `json:"certifier_seed"`
	PublicKey    vectors.Hex `json:"certifier_pubkey"`
	Certificate  vectors.Hex
	Signature    vectors.Hex
	ResponseJSON string `json:"response_json"`
	Verify       string `json:"verify_2024_or_later"`
	VerifyError  string `json:"verify_error"`
}

func TestVectorPoetCertificates(t *testing.T) {
	vectors.Run(t, "post/poet_certificates", func(t *testing.T, c certificateCase) {
		key, id := ed25519.PublicKey(c.PublicKey), wire.NodeID(c.NodeID)
		for _, now := range []time.Time{
			time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC),
		} {
			_, err := Verify(c.Certificate, c.Signature, key, id, now)
			requireVerdict(t, &c, now, err)
		}
		if c.Seed != nil {
			requireIssued(t, &c, key, id)
		}
	})
}

func requireVerdict(t *testing.T, c *certificateCase, now time.Time, err error) {
	switch {
	case c.VerifyError == "signature mismatch":
		require.ErrorIs(t, err, ErrSignature)
	case c.VerifyError == "pubkey mismatch":
		require.ErrorIs(t, err, ErrPublicKey)
	case strings.HasPrefix(c.VerifyError, "decoding"):
		require.ErrorIs(t, err, ErrDecode)
	case c.Verify == "ok":
		require.NoError(t, err)
	case c.Verify == "expired":
		require.ErrorIs(t, err, ErrExpired)
	case uint64(*c.Expiration) < uint64(now.Unix()):
		require.ErrorIs(t, err, ErrExpired)
	default:
		require.NoError(t, err)
	}
}

func requireIssued(t *testing.T, c *certificateCase, key ed25519.PublicKey, id wire.NodeID) {
	var until time.Time
	if c.Expiration != nil {
		until = time.Unix(int64(*c.Expiration), 0)
	}
	encoded, signature := New(id, until).Sign(ed25519.NewKeyFromSeed(c.Seed))
	require.Equal(t, []byte(c.Certificate), encoded)
	require.Equal(t, []byte(c.Signature), signature)
	raw, err := json.Marshal(Response{Certificate: encoded, Signature: signature, PublicKey: key})
	require.NoError(t, err)
	require.Equal(t, c.ResponseJSON, string(raw))
	r, err := ParseResponse(raw, key, id, time.Unix(0, 0))
	require.NoError(t, err)
	require.Equal(t, encoded, r.Certificate)
	_, err = ParseResponse(raw, make([]byte, 32), id, time.Unix(0, 0))
	require.ErrorIs(t, err, ErrResponse)
}

func TestRequestKeepsItsFields(t *testing.T) {
	want := Request{
		Proof:    post.Proof{Nonce: 3, Indices: []byte{1, 2}, Pow: 1 << 60},
		Metadata: post.Statement{NodeID: wire.NodeID{1}, Challenge: wire.Hash32{2}, NumUnits: 4},
	}
	raw, err := json.Marshal(want)
	require.NoError(t, err)
	var got Request
	require.NoError(t, json.Unmarshal(raw, &got))
	require.Equal(t, want, got)
	require.Error(t, json.Unmarshal([]byte(`{"metadata":{"node_id":"AA=="}}`), &got))
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte{0x80}, []byte{1}, make([]byte, 32))
	seed := make([]byte, 32)
	f.Fuzz(func(t *testing.T, encoded, response, key []byte) {
		id := wire.NodeID{}
		_, _ = ParseResponse(response, key, id, time.Unix(0, 0))
		private := ed25519.NewKeyFromSeed(seed)
		c, err := Verify(encoded, ed25519.Sign(private, encoded), private.Public().(ed25519.PublicKey), id, time.Unix(0, 0))
		if err == nil {
			require.Equal(t, id[:], c.PublicKey)
		}
	})
}
