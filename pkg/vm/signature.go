package vm

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Signature is one signature to be checked. Its transaction is valid if all of
// its signatures are.
type Signature struct {
	Key wire.NodeID
	// Body is what was signed behind the genesis id; it aliases the raw bytes.
	Body      []byte
	Signature wire.EdSignature
}

// Verify checks the signatures of a parsed transaction (spec 07 §6.2).
func (m *Machine) Verify(tx *Transaction) bool {
	var room [MaxKeys]Signature
	items, ok := tx.Signatures(room[:0])
	for i := 0; ok && i < len(items); i++ {
		ok = m.verifier.VerifyTransaction(items[i].Key, items[i].Body, items[i].Signature)
	}
	return ok
}

// Signatures appends the signatures that a parsed transaction stands on, for a
// caller who checks many at once. False means that no check is needed to know
// that the transaction is not validly signed.
func (tx *Transaction) Signatures(dst []Signature) ([]Signature, bool) {
	part := tx.raw[tx.bodyEnd:]
	switch tx.signer.template {
	case Wallet:
		return tx.walletSignature(dst, part)
	case Multisig, Vesting:
		return tx.multisigSignatures(dst, part)
	}
	return dst, false // nobody signs for a vault
}

func (tx *Transaction) walletSignature(dst []Signature, part []byte) ([]Signature, bool) {
	if len(part) < len(wire.EdSignature{}) {
		return dst, false
	}
	signature := wire.EdSignature(part[:len(wire.EdSignature{})])
	return append(dst, Signature{
		Key:       tx.signer.wallet.PublicKey,
		Body:      tx.signedBody(len(signature)),
		Signature: signature,
	}), true
}

// keyedSignature is one part of a multisig's signature.
type keyedSignature struct {
	key       uint8
	signature wire.EdSignature
}

// Code is spec 07 §2.3.
func (s *keyedSignature) Code(c *codec.Coder) {
	c.Compact8(&s.key)
	c.Fixed(s.signature[:])
}

func (tx *Transaction) multisigSignatures(dst []Signature, part []byte) ([]Signature, bool) {
	args := &tx.signer.multisig
	start, size, last := len(dst), 0, -1
	for range args.Required {
		var s keyedSignature
		n, err := codec.DecodePrefix(part[size:], &s)
		if err != nil || int(s.key) <= last || int(s.key) >= len(args.Keys) {
			return dst[:start], false
		}
		size, last = size+n, int(s.key)
		dst = append(dst, Signature{Key: args.Keys[s.key], Signature: s.signature})
	}
	for i := range dst[start:] {
		dst[start+i].Body = tx.signedBody(size)
	}
	return dst, len(dst) > start
}

// signedBody is the raw bytes without as many from the end as the signature part
// took. Bytes that trail the signature therefore shift the cut and invalidate it.
func (tx *Transaction) signedBody(signatureSize int) []byte {
	return tx.raw[:len(tx.raw)-signatureSize]
}
