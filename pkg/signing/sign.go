package signing

import (
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ErrNoSlot says that a kind of message is not in the slot table.
var ErrNoSlot = errors.New("message kind has no slot rule")

// Key is an identity's private key: the seed and what follows from it.
type Key struct {
	private ed25519.PrivateKey
}

// WalletKey signs transactions. It is another type than Key, because a
// transaction's bytes are the caller's choice and no domain keeps them apart.
type WalletKey struct {
	private ed25519.PrivateKey
}

// NewKey derives an identity's key from its 32-byte seed.
func NewKey(seed [32]byte) Key { return Key{ed25519.NewKeyFromSeed(seed[:])} }

// NewWalletKey derives a wallet's key from its 32-byte seed.
func NewWalletKey(seed [32]byte) WalletKey { return WalletKey{ed25519.NewKeyFromSeed(seed[:])} }

// NodeID is the public key.
func (k Key) NodeID() wire.NodeID { return wire.NodeID(k.private[32:]) }

// Seed is the secret the key was made from.
func (k Key) Seed() [32]byte { return [32]byte(k.private[:32]) }

// PublicKey is the public key.
func (k WalletKey) PublicKey() [32]byte { return [32]byte(k.private[32:]) }

// Sign makes the signature a request stands for, on the network whose genesis
// ID is prefix. It does not guard slots: its caller has recorded
// Request.Slot with SigningHash before. The error is ErrNoSlot.
func (k Key) Sign(prefix []byte, r Request) (wire.EdSignature, error) {
	msg, err := signedMessage(prefix, r)
	if err != nil {
		return wire.EdSignature{}, err
	}
	return wire.EdSignature(ed25519.Sign(k.private, msg)), nil
}

// SigningHash names the exact bytes that Sign covers; a guard stores it beside
// the slot, to let the same bytes be signed again and no others.
func SigningHash(prefix []byte, r Request) (wire.Hash32, error) {
	msg, err := signedMessage(prefix, r)
	if err != nil {
		return wire.Hash32{}, err
	}
	return wire.Sum(msg), nil
}

// SignTransaction signs the network prefix and a transaction's bytes.
func (k WalletKey) SignTransaction(prefix, tx []byte) wire.EdSignature {
	msg := append(append(make([]byte, 0, len(prefix)+len(tx)), prefix...), tx...)
	return wire.EdSignature(ed25519.Sign(k.private, msg))
}

func signedMessage(prefix []byte, r Request) ([]byte, error) {
	rule, ok := RuleOf(r.Slot().Kind)
	if !ok || rule.Domain != r.domain() {
		return nil, fmt.Errorf("%w: %v under %v", ErrNoSlot, r.Slot(), r.domain())
	}
	return NewVerifier(prefix).message(nil, r.domain(), r.body()), nil
}
