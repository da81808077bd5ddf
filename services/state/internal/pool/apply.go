package pool

import (
	"context"
	"slices"

	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
	"github.com/smeshery/smeshery/services/state/internal/ledger"
)

var _ ledger.Hooks = (*Pool)(nil)

// Applying prepares what a layer does to the pool (spec 07 §13.6). The function it
// returns changes the pool, and must be called.
func (p *Pool) Applying(ctx context.Context, a ledger.Application) ([]db.Header, func(committed bool), error) {
	if a.Empty {
		settle, err := p.unpack(ctx, a)
		return nil, settle, err
	}
	executed, ineffective, headers := settled(a)
	p.mu.Lock()
	settlement, err := p.pool.Settle(a.Last, a.Effects.Layer, executed, ineffective)
	p.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	p.reading.Lock()
	p.begin()
	// Read while the layer is being written: what it executed is left out either way.
	ctx, cancel := context.WithCancel(ctx)
	read := make(chan struct{})
	var snapshots []mempool.Snapshot
	var unread error
	go func() {
		defer close(read)
		snapshots, unread = p.snapshots(ctx, a, settlement.Reload)
	}()
	return headers, func(committed bool) {
		defer p.reading.Unlock()
		defer cancel()
		if !committed {
			cancel()
			<-read
			p.end(nil)
			return
		}
		<-read
		p.end(func() {
			p.applied, p.chosen = a.Effects.Layer, sequence{}
			if unread != nil {
				p.doubt = true // it is read again soon
				return
			}
			p.pool.Reload(snapshots)
		})
	}, nil
}

// settled says what the layer did in the pool's terms, and which transactions
// have to get a header: those that were executed have it with their result.
func settled(a ledger.Application) (executed, ineffective []mempool.Settled, headers []db.Header) {
	had := make(map[wire.TransactionID]mempool.Stored, len(a.Txs))
	for _, tx := range a.Txs {
		had[tx.ID] = mempool.Raw
		if tx.HadHeader {
			had[tx.ID] = mempool.WithHeader
		}
	}
	executed = make([]mempool.Settled, len(a.Effects.Executed))
	for i := range a.Effects.Executed {
		x := &a.Effects.Executed[i]
		executed[i] = mempool.Settled{ID: x.ID, Principal: x.Header.Principal, Stored: had[x.ID]}
	}
	for _, x := range a.Effects.Ineffective {
		if x.Header == nil {
			continue
		}
		ineffective = append(ineffective, mempool.Settled{ID: x.ID, Principal: x.Header.Principal, Stored: had[x.ID]})
		if had[x.ID] < mempool.WithHeader {
			headers = append(headers, db.Header{ID: x.ID, Header: *x.Header})
		}
	}
	return executed, ineffective, headers
}

// snapshots are the accounts that the pool estimates anew.
func (p *Pool) snapshots(ctx context.Context, a ledger.Application, reload []wire.Address) ([]mempool.Snapshot, error) {
	if len(reload) == 0 {
		return nil, nil
	}
	accounts, err := a.After(ctx, reload)
	if err != nil {
		return nil, err
	}
	pending, err := db.PendingOf(ctx, p.db, accounts, a.Effects.Layer)
	if err != nil {
		return nil, err
	}
	executed := make(map[wire.TransactionID]bool, len(a.Effects.Executed))
	for i := range a.Effects.Executed {
		executed[a.Effects.Executed[i].ID] = true
	}
	pending = fitting(accounts, pending, executed)
	return db.Snapshots(p.concerned(accounts, pending), pending), nil
}

// concerned are the accounts with anything in the pool or waiting for it. Most
// accounts of a big block have nothing.
func (p *Pool) concerned(accounts []wire.Account, pending []mempool.Tx) []wire.Account {
	waiting := make(map[wire.Address]bool)
	for i := range pending {
		waiting[pending[i].Header.Principal] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(accounts, func(a wire.Account) bool {
		tracked, _ := p.pool.Tracked(a.Address)
		return !tracked && !waiting[a.Address]
	})
}

// unpack moves what was packed in a layer that turned out empty to the next
// block that includes it.
func (p *Pool) unpack(ctx context.Context, a ledger.Application) (func(committed bool), error) {
	p.mu.Lock()
	packed := p.pool.PackedIn(a.Effects.Layer)
	p.mu.Unlock()
	var next []mempool.Inclusion
	if len(packed) > 0 {
		var err error
		if next, err = db.NextInclusions(ctx, p.db, packed, a.Effects.Layer); err != nil {
			return nil, err
		}
	}
	return func(committed bool) {
		if !committed {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.applied, p.chosen = a.Effects.Layer, sequence{}
		p.pool.Unpack(next)
	}, nil
}
