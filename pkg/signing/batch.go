package signing

import (
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Batch verifies many signatures at a fraction of the price of each. One bad
// signature costs a second pass over the batch, one signature at a time; keep
// batches at a few hundred, and give each core its own.
//
// The random weights of the batch equation are drawn from a hash of everything
// in the batch, so that the same batch always gets the same answer and nobody
// can choose signatures to suit the weights.
type Batch struct {
	verifier Verifier
	entries  *ed25519.BatchVerifier
	digest   *blake3.Hasher
	scratch  []byte
	n        int
}

// NewBatch returns an empty batch with room for n signatures.
func (v Verifier) NewBatch(n int) *Batch {
	return &Batch{
		verifier: v,
		entries:  ed25519.NewBatchVerifierWithCapacity(n),
		digest:   blake3.New(),
		scratch:  make([]byte, 0, inlineBody),
	}
}

// Len is the number of signatures added.
func (b *Batch) Len() int { return b.n }

// Add appends a signature over body under domain.
func (b *Batch) Add(domain Domain, key wire.NodeID, body []byte, sig wire.EdSignature) {
	b.scratch = b.verifier.message(b.scratch[:0], domain, body)
	b.AddRaw(key, b.scratch, sig)
}

// AddTransaction appends a signature over the network prefix and a transaction.
func (b *Batch) AddTransaction(key [32]byte, tx []byte, sig wire.EdSignature) {
	b.scratch = append(append(b.scratch[:0], b.verifier.prefix...), tx...)
	b.AddRaw(key, b.scratch, sig)
}

// AddRaw appends a signature over a whole message, which is not kept.
func (b *Batch) AddRaw(key [32]byte, message []byte, sig wire.EdSignature) {
	hash := wire.Sum(message)
	_, _ = b.digest.Write(key[:])
	_, _ = b.digest.Write(hash[:])
	_, _ = b.digest.Write(sig[:])
	b.entries.AddWithOptions(key[:], message, sig[:], &ed25519.Options{Verify: rule()})
	b.n++
}

// Verify returns one verdict for each signature, in the order they were added.
// The verdicts are those of Verifier.Verify.
func (b *Batch) Verify() []bool {
	if b.n == 0 {
		return nil
	}
	_, verdicts := b.entries.Verify(b.digest.Digest())
	return verdicts
}

// Reset empties the batch for another use.
func (b *Batch) Reset() {
	b.entries.Reset()
	b.digest.Reset()
	b.n = 0
}
