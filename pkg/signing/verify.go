package signing

import (
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"github.com/smeshery/smeshery/pkg/wire"
)

// inlineBody is how long a body may be to be assembled without asking the heap
// for a growing buffer. All consensus bodies but those of the beacon fit.
const inlineBody = 128

// Verifier checks signatures made for one network. The zero Verifier has an
// empty prefix.
type Verifier struct {
	prefix string
}

// NewVerifier returns a verifier for the network whose genesis ID is prefix.
// An empty prefix is allowed (spec 01 §17.1).
func NewVerifier(prefix []byte) Verifier { return Verifier{prefix: string(prefix)} }

// Prefix is a copy of the network prefix.
func (v Verifier) Prefix() []byte { return []byte(v.prefix) }

// Verify tells whether sig is key's signature over body under domain (spec 01
// §17.2). The length of body is the caller's to bound.
func (v Verifier) Verify(domain Domain, key wire.NodeID, body []byte, sig wire.EdSignature) bool {
	msg := v.message(make([]byte, 0, inlineBody), domain, body)
	return VerifyRaw(key, msg, sig)
}

// VerifyTransaction tells whether sig is key's signature over the network
// prefix and a transaction's bytes. There is no domain byte (spec 01 §17.1).
func (v Verifier) VerifyTransaction(key [32]byte, tx []byte, sig wire.EdSignature) bool {
	msg := append(make([]byte, 0, len(v.prefix)+len(tx)), v.prefix...)
	return VerifyRaw(key, append(msg, tx...), sig)
}

// VerifyRaw applies the verification rule of spec 01 §17.2 to a whole message.
func VerifyRaw(key [32]byte, message []byte, sig wire.EdSignature) bool {
	return ed25519.VerifyWithOptions(key[:], message, sig[:], &ed25519.Options{Verify: rule()})
}

// message appends what is signed: prefix, domain, body.
func (v Verifier) message(dst []byte, domain Domain, body []byte) []byte {
	dst = append(dst, v.prefix...)
	dst = append(dst, byte(domain))
	return append(dst, body...)
}

// rule is spec 01 §17.2 in the library's words: what is not allowed explicitly
// is refused, and the equation is cofactored.
func rule() *ed25519.VerifyOptions {
	return &ed25519.VerifyOptions{AllowSmallOrderR: true}
}
