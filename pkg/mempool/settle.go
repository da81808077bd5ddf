package mempool

import (
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Stored is what the database has of a transaction.
type Stored uint8

// States of a stored transaction (spec 07 §3.2).
const (
	// Absent: never stored.
	Absent Stored = iota
	// Raw: stored without a header, not known to be valid.
	Raw
	// WithHeader: stored after it was verified.
	WithHeader
	// Applied: executed in a layer of the current chain.
	Applied
)

// Settled is a transaction that a layer executed, or found ineffective although
// it has a header.
type Settled struct {
	ID        wire.TransactionID
	Principal wire.Address
	// Stored is the state before the layer.
	Stored Stored
}

// Snapshot is an account as the database has it.
type Snapshot struct {
	Address wire.Address
	// Nonce and Balance are of the latest account version.
	Nonce, Balance uint64
	// Pending are the transactions without result whose nonce is at least
	// Nonce, in order of nonce and then of reception. Layer and Block are of
	// the next inclusion after the last applied layer.
	Pending []Tx
}

// Settlement is what a settled layer asks for.
type Settlement struct {
	// Headers are transactions whose header is missing and to be stored.
	Headers []wire.TransactionID
	// Reload are the accounts to be given to Reload once results and account
	// versions are stored.
	Reload []wire.Address
}

// Next checks that layer is the one after the last applied one.
func Next(last, layer wire.LayerID) error {
	if layer != last+1 {
		return fmt.Errorf("%w: %v after %v", ErrOrder, layer, last)
	}
	return nil
}

// Settle takes what a layer with a block did (spec 07 §13.6). Ineffective are
// only those that have a header. On an error, ErrOrder or ErrResult, nothing
// changes and the layer is not to be stored.
func (p *Pool) Settle(last, layer wire.LayerID, executed, ineffective []Settled) (Settlement, error) {
	if err := Next(last, layer); err != nil {
		return Settlement{}, err
	}
	for _, s := range executed {
		if s.Stored == Absent || s.Stored == Applied {
			return Settlement{}, fmt.Errorf("%w: %v", ErrResult, s.ID)
		}
	}
	var out Settlement
	seen := make(map[wire.Address]bool, len(executed))
	for _, s := range executed {
		p.settleOne(&out, seen, s)
	}
	for _, s := range ineffective {
		if tracked := p.accounts[s.Principal] != nil; tracked {
			p.settleOne(&out, seen, s)
		} else if s.Stored < WithHeader {
			out.Headers = append(out.Headers, s.ID)
		}
	}
	for _, a := range p.sorted() {
		if p.accounts[a].more && !seen[a] {
			out.Reload = append(out.Reload, a)
		}
	}
	return out, nil
}

// settleOne asks for the account once, and for the header of what is not held.
func (p *Pool) settleOne(out *Settlement, seen map[wire.Address]bool, s Settled) {
	if !p.Has(s.ID) && s.Stored < WithHeader {
		out.Headers = append(out.Headers, s.ID)
	}
	if !seen[s.Principal] {
		seen[s.Principal] = true
		out.Reload = append(out.Reload, s.Principal)
	}
}

// Reload replaces the estimates of accounts by what the database has.
func (p *Pool) Reload(snapshots []Snapshot) {
	for i := range snapshots {
		p.load(&snapshots[i])
	}
}

// Rebuild replaces the whole pool (spec 07 §13.7). Snapshots hold the accounts
// with transactions without result; Pending starts above the highest nonce that
// has one.
func (p *Pool) Rebuild(snapshots []Snapshot) {
	*p = *NewPool()
	p.Reload(snapshots)
}

func (p *Pool) load(s *Snapshot) {
	a := p.accounts[s.Address]
	if a == nil {
		a = &account{}
		p.accounts[s.Address] = a
	}
	for _, c := range a.list {
		delete(p.index, c.tx.ID)
	}
	a.nonce, a.balance = s.Nonce, s.Balance
	a.fill(s.Pending, nil)
	for _, c := range a.list {
		p.index[c.tx.ID] = c.tx
	}
	p.forget(s.Address)
}

// Inclusion is the next layer that includes a transaction: of a block if there
// is one, else of a proposal. Layer 0 means that none does.
type Inclusion struct {
	ID    wire.TransactionID
	Layer wire.LayerID
	Block wire.BlockID
}

// PackedIn are the held transactions that are packed in a layer, in ascending
// order. When the layer turns out empty, Unpack is to be told their next
// inclusions after it (spec 07 §13.6).
func (p *Pool) PackedIn(layer wire.LayerID) []wire.TransactionID {
	var out []wire.TransactionID
	for id, tx := range p.index {
		if tx.Layer == layer {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, wire.Compare[wire.TransactionID])
	return out
}

// Unpack moves transactions to their next inclusion.
func (p *Pool) Unpack(next []Inclusion) {
	for _, n := range next {
		if tx := p.index[n.ID]; tx != nil {
			tx.Layer, tx.Block = n.Layer, n.Block
		}
	}
}
