package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// Execute applies a layer with a block, zero for none, and returns its marker.
// If it is applied with that block already, the marker is returned as it is.
func (l *Ledger) Execute(ctx context.Context, layer wire.LayerID, block wire.BlockID) (db.Layer, error) {
	return l.change(ctx, func(tip db.Layer) (db.Layer, error) {
		if layer <= tip.ID {
			return l.repeated(ctx, layer, block)
		}
		if layer != tip.ID+1 {
			return db.Layer{}, fmt.Errorf("%w: %v, the last one is %v", ErrGap, layer, tip.ID)
		}
		effects, txs, err := l.compute(ctx, layer, block)
		if err != nil {
			return db.Layer{}, err
		}
		return l.persist(ctx, tip, block, effects, txs, nil)
	})
}

func (l *Ledger) repeated(ctx context.Context, layer wire.LayerID, block wire.BlockID) (db.Layer, error) {
	have, found, err := db.LayerAt(ctx, l.db, layer)
	switch {
	case err != nil:
		return db.Layer{}, err
	case !found:
		return db.Layer{}, fmt.Errorf("%w: layer %v", ErrGenesis, layer)
	case have.Block != block:
		return db.Layer{}, fmt.Errorf("%w: layer %v has %v", ErrOther, layer, have.Block)
	}
	return have, nil
}

// compute finds out what a layer does, without writing anything.
func (l *Ledger) compute(ctx context.Context, layer wire.LayerID, id wire.BlockID) (*vm.Effects, []Judged, error) {
	if id == (wire.BlockID{}) {
		effects, err := l.machine.Apply(vm.Input{Layer: layer}, nil)
		return &effects, nil, err
	}
	block, err := db.ReadBlock(ctx, l.db, id)
	switch {
	case err != nil:
		return nil, nil, err
	case block == nil:
		return nil, nil, fmt.Errorf("%w: %v", ErrBlock, id)
	case block.LayerIndex != layer:
		return nil, nil, fmt.Errorf("%w: %v is of layer %v", ErrBlockLayer, id, block.LayerIndex)
	}
	effects, txs, err := l.apply(ctx, &block.InnerBlock)
	if err != nil {
		return nil, nil, err
	}
	effects.SetBlock(id)
	return effects, txs, nil
}

// apply has the machine execute what a block lists.
func (l *Ledger) apply(ctx context.Context, block *wire.InnerBlock) (*vm.Effects, []Judged, error) {
	started := time.Now()
	in, err := l.load(ctx, block)
	if err != nil {
		return nil, nil, err
	}
	loaded := time.Now()
	prepared, err := l.executor.Prepare(block.LayerIndex, block.Rewards, block.TxIDs, in)
	if err != nil {
		return nil, nil, err
	}
	effects, err := l.machine.Apply(prepared, in)
	if err != nil {
		return nil, nil, err
	}
	l.observe("load", loaded.Sub(started))
	l.observe("apply", time.Since(loaded))
	txs := make([]Judged, len(in.ids))
	for i := range txs {
		txs[i] = Judged{in.ids[i], in.had[i]}
	}
	return &effects, txs, nil
}

// persist writes a layer and everything that follows from it; also, if it is not
// nil, writes more in the same transaction.
func (l *Ledger) persist(
	ctx context.Context, tip db.Layer, block wire.BlockID, effects *vm.Effects, txs []Judged, also func(pgx.Tx) error,
) (db.Layer, error) {
	started := time.Now()
	headers, settle, err := l.hooks.Applying(ctx, Application{
		Last: tip.ID, Empty: block == wire.BlockID{}, Effects: effects, Txs: txs, After: l.after(effects),
	})
	if err != nil {
		return db.Layer{}, err
	}
	done := db.Layer{
		ID: effects.Layer, Block: block, Root: &effects.StateRoot,
		Executed: uint32(len(effects.Executed)), Ineffective: uint32(len(effects.Ineffective)),
	}
	settled := time.Now()
	err = l.write(ctx, tip, func(tx pgx.Tx) error {
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		if err := db.WriteEffectsTx(ctx, tx, effects); err != nil {
			return err
		}
		if err := db.SetHeadersTx(ctx, tx, headers); err != nil {
			return err
		}
		if err := db.WriteLayerTx(ctx, tx, &done); err != nil {
			return err
		}
		return l.tell(ctx, tx, done.Seq, &events.LayerExecuted{Layer: done.ID, Block: done.Block})
	})
	if err != nil {
		settle(false)
		return db.Layer{}, err
	}
	l.cache.commit(effects.Accounts)
	l.tip.Store(&done)
	written := time.Now()
	settle(true)
	l.observe("settle", settled.Sub(started)+time.Since(written))
	l.observe("write", written.Sub(settled))
	return done, nil
}

// after reads accounts as they are once the effects are written.
func (l *Ledger) after(effects *vm.Effects) func(context.Context, []wire.Address) ([]wire.Account, error) {
	return func(ctx context.Context, addresses []wire.Address) ([]wire.Account, error) {
		known := make(map[wire.Address]wire.Account, len(addresses))
		for _, a := range addresses {
			known[a] = wire.Account{}
		}
		missing := make([]wire.Address, 0)
		for i := range effects.Accounts {
			if _, wanted := known[effects.Accounts[i].Address]; wanted {
				known[effects.Accounts[i].Address] = effects.Accounts[i]
			}
		}
		for _, a := range addresses {
			if known[a].Layer != effects.Layer {
				missing = append(missing, a)
				delete(known, a)
			}
		}
		if err := l.readAccounts(ctx, missing, known); err != nil {
			return nil, err
		}
		out := make([]wire.Account, len(addresses))
		for i, a := range addresses {
			out[i] = known[a]
		}
		return out, nil
	}
}

// tell makes an event of a layer; seq tells an application from a reverted one.
func (l *Ledger) tell(ctx context.Context, tx pgx.Tx, seq int64, body events.Body) error {
	m, err := l.events(strconv.FormatInt(seq, 10), body)
	if err != nil {
		return err
	}
	return outbox.AddTx(ctx, tx, m)
}
