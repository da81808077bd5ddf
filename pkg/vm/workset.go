package vm

import (
	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// workset is the accounts of a layer while it is applied: a cache over the
// reader that remembers in which order accounts were first changed.
type workset struct {
	reader   AccountReader
	index    map[wire.Address]int
	accounts []wire.Account
	changed  []bool // parallel to accounts
	order    []int  // into accounts, by first change
}

func newWorkset(reader AccountReader, size int) *workset {
	return &workset{
		reader:   reader,
		index:    make(map[wire.Address]int, size),
		accounts: make([]wire.Account, 0, size),
		changed:  make([]bool, 0, size),
		order:    make([]int, 0, size),
	}
}

// at is the position of an account, which is read on first use.
func (w *workset) at(address wire.Address) (int, error) {
	if i, ok := w.index[address]; ok {
		return i, nil
	}
	account, err := w.reader.Account(address)
	if err != nil {
		return 0, stateError(address, err)
	}
	account.Address = address
	i := len(w.accounts)
	w.index[address] = i
	w.accounts = append(w.accounts, account)
	w.changed = append(w.changed, false)
	return i, nil
}

// update replaces an account that at has seen.
func (w *workset) update(i int, account *wire.Account) {
	w.accounts[i] = *account
	if !w.changed[i] {
		w.changed[i] = true
		w.order = append(w.order, i)
	}
}

// versions are the changed accounts in the order of their first change, and
// the state root, which hashes them in that order (spec 07 §8).
func (w *workset) versions(layer wire.LayerID) ([]wire.Account, wire.Hash32, error) {
	const flushAt = 64 << 10
	out := make([]wire.Account, len(w.order))
	hasher := blake3.New()
	buf := make([]byte, 0, flushAt+4096)
	for n, i := range w.order {
		out[n] = w.accounts[i]
		out[n].Layer = layer
		var err error
		if buf, err = codec.Append(buf, &out[n]); err != nil {
			return nil, wire.Hash32{}, stateError(out[n].Address, err)
		}
		if len(buf) >= flushAt {
			_, _ = hasher.Write(buf)
			buf = buf[:0]
		}
	}
	_, _ = hasher.Write(buf)
	var root wire.Hash32
	hasher.Sum(root[:0])
	return out, root, nil
}
