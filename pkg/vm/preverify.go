package vm

import "github.com/smeshery/smeshery/pkg/signing"

// batchSize is how many signatures are checked together. Larger batches are
// hardly cheaper, and one bad signature costs a second pass over its batch.
const batchSize = 256

// Preverify marks transactions as verified whose principal and signatures can
// be judged against the current accounts, in batches. Those it cannot judge, such
// as a spend whose spawn is in the same layer, keep their mark, and Apply judges
// them. It needs one core; callers split a layer's transactions over cores and
// call it on each part. The only error is ErrState.
func (m *Machine) Preverify(txs []Tx, accounts AccountReader) error {
	p := preverification{txs: txs, batch: m.verifier.NewBatch(batchSize)}
	for i := range txs {
		if txs[i].Verified {
			continue
		}
		if err := m.Parse(&p.tx, txs[i].Raw, accounts); err != nil {
			if IsInternal(err) {
				return err
			}
			continue
		}
		p.add(i)
		if p.batch.Len() >= batchSize {
			p.flush()
		}
	}
	p.flush()
	return nil
}

// preverification is one run of Preverify.
type preverification struct {
	txs    []Tx
	tx     Transaction
	batch  *signing.Batch
	owners []int // of the batch's signatures, into txs
	items  []Signature
}

func (p *preverification) add(owner int) {
	var ok bool
	if p.items, ok = p.tx.Signatures(p.items[:0]); !ok {
		return
	}
	for i := range p.items {
		p.batch.AddTransaction(p.items[i].Key, p.items[i].Body, p.items[i].Signature)
		p.owners = append(p.owners, owner)
	}
}

// flush marks the transactions of the batch, all of whose signatures are in it.
func (p *preverification) flush() {
	verdicts := p.batch.Verify()
	for i, owner := range p.owners {
		p.txs[owner].Verified = verdicts[i] && (p.txs[owner].Verified || i == 0 || p.owners[i-1] != owner)
	}
	p.owners = p.owners[:0]
	p.batch.Reset()
}
