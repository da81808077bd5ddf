package mempool

import (
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// database is what the shell of a pool has to keep: transactions with their
// results and inclusions, and account states. It is written for clarity.
type database struct {
	accounts map[wire.Address]wire.Account
	rows     map[wire.TransactionID]*row
	last     wire.LayerID
}

type row struct {
	tx        Tx
	stored    Stored
	layer     wire.LayerID // of the result
	proposals []wire.LayerID
	blocks    []Inclusion
}

func newDatabase() *database {
	return &database{accounts: map[wire.Address]wire.Account{}, rows: map[wire.TransactionID]*row{}, last: 7}
}

func (d *database) Account(a wire.Address) (wire.Account, error) {
	account := d.accounts[a]
	account.Address = a
	return account, nil
}

// store is idempotent; the first reception counts.
func (d *database) store(tx Tx, as Stored) {
	if r := d.rows[tx.ID]; r == nil {
		d.rows[tx.ID] = &row{tx: tx, stored: as}
	} else if r.stored == Raw {
		received := r.tx.Received
		r.tx, r.stored = tx, as
		r.tx.Received = received
	}
}

func (d *database) link(layer wire.LayerID, block wire.BlockID, ids []wire.TransactionID) {
	for _, id := range ids {
		r := d.rows[id]
		switch {
		case r == nil:
		case block == wire.BlockID{}:
			r.proposals = append(r.proposals, layer)
		default:
			r.blocks = append(r.blocks, Inclusion{ID: id, Layer: layer, Block: block})
		}
	}
}

// next is the first inclusion after the last applied layer.
func (d *database) next(id wire.TransactionID, after wire.LayerID) Inclusion {
	out := Inclusion{ID: id}
	better := func(layer wire.LayerID) bool { return layer > after && (out.Layer == 0 || layer < out.Layer) }
	for _, b := range d.rows[id].blocks {
		if better(b.Layer) {
			out = b
		}
	}
	if out.Layer != 0 {
		return out
	}
	for _, layer := range d.rows[id].proposals {
		if better(layer) {
			out.Layer = layer
		}
	}
	return out
}

// snapshot is an account with its transactions without result from a nonce on.
func (d *database) snapshot(a wire.Address, from uint64, applied wire.LayerID) Snapshot {
	account := d.accounts[a]
	out := Snapshot{Address: a, Nonce: account.NextNonce, Balance: account.Balance}
	for _, r := range d.rows {
		if r.stored != WithHeader || r.tx.Header.Principal != a || r.tx.Header.Nonce < from {
			continue
		}
		tx := r.tx
		in := d.next(tx.ID, applied)
		tx.Layer, tx.Block = in.Layer, in.Block
		out.Pending = append(out.Pending, tx)
	}
	slices.SortFunc(out.Pending, func(a, b Tx) int {
		return cmp.Or(cmp.Compare(a.Header.Nonce, b.Header.Nonce), cmp.Compare(a.Received, b.Received), wire.Compare(a.ID, b.ID))
	})
	return out
}

// unexecuted are the snapshots for Rebuild.
func (d *database) unexecuted() (out []Snapshot) {
	from := map[wire.Address]uint64{}
	for _, r := range d.rows {
		a := r.tx.Header.Principal
		if _, seen := from[a]; !seen {
			from[a] = 0
		}
		if r.stored == Applied {
			from[a] = max(from[a], r.tx.Header.Nonce+1)
		}
	}
	for a, nonce := range from {
		if s := d.snapshot(a, nonce, d.last); len(s.Pending) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (d *database) revert(to wire.LayerID) {
	for _, r := range d.rows {
		if r.stored == Applied && r.layer > to {
			r.stored, r.layer = WithHeader, 0
		}
	}
}

// stored is what Message and Settled want to know.
func (d *database) stored(id wire.TransactionID) Stored {
	if r := d.rows[id]; r != nil {
		return r.stored
	}
	return Absent
}
