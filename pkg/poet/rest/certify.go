package rest

import (
	"bytes"
	"crypto/ed25519"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

// CertifyPath is where a certifier takes requests (spec 03 §15.2).
const CertifyPath = "/certify"

// CertifyRequest shows a certifier a PoST.
type CertifyRequest struct {
	Post          wire.PostV1
	NodeID        wire.NodeID
	CommitmentATX wire.ATXID
	Challenge     []byte
	NumUnits      uint32
}

// Body is the request's JSON; pow is a number over the full range of 64 bits.
func (r *CertifyRequest) Body() []byte {
	type proof struct {
		Nonce   uint32     `json:"nonce"`
		Indices base64Text `json:"indices"`
		Pow     uint64     `json:"pow"`
	}
	type metadata struct {
		NodeID        base64Text `json:"node_id"`
		CommitmentATX base64Text `json:"commitment_atx_id"`
		Challenge     base64Text `json:"challenge"`
		NumUnits      uint32     `json:"num_units"`
	}
	return compact(struct {
		Proof    proof    `json:"proof"`
		Metadata metadata `json:"metadata"`
	}{
		proof{r.Post.Nonce, r.Post.Indices, r.Post.Pow},
		metadata{r.NodeID[:], r.CommitmentATX[:], r.Challenge, r.NumUnits},
	})
}

// ParseCertified takes a certifier's answer if it holds a certificate for the
// identity, valid now and signed by the key that the PoET advertises (spec 03 §15.1).
func ParseCertified(body []byte, certifier ed25519.PublicKey, node wire.NodeID, now time.Time) (poet.SignedCertificate, error) {
	f, err := parseFields(body)
	if err != nil {
		return poet.SignedCertificate{}, err
	}
	var signed poet.SignedCertificate
	var pubkey []byte
	err = firstError(
		f.bytes(&signed.Data, "certificate"),
		f.bytes(&signed.Signature, "signature"),
		f.bytes(&pubkey, "pub_key"))
	if err != nil {
		return poet.SignedCertificate{}, err
	}
	if !bytes.Equal(pubkey, certifier) {
		return poet.SignedCertificate{}, poet.RuleCertificatePubkey.Broken()
	}
	if _, err := poet.VerifyCertificate(signed, certifier, node[:], now); err != nil {
		return poet.SignedCertificate{}, err
	}
	return signed, nil
}

// RetryableCertify tells whether a certifier's status is worth another try.
func RetryableCertify(status int) bool {
	return status == 0 || status == 429 || status >= 500 && status != 501
}
