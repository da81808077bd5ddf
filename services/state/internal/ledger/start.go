package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// ErrOtherGenesis says that the database was started from something else.
var ErrOtherGenesis = errors.New("the database belongs to another genesis")

// Origin is what a state starts from.
type Origin struct {
	GenesisID wire.Hash20
	// Effective is the layer that the first accounts stand for.
	Effective wire.LayerID
	// Genesis are the network's accounts. They are compared on every start.
	Genesis []wire.Account
	// Restored are a checkpoint's accounts, which take their place; nil
	// without one. They are written on the first start only.
	Restored []wire.Account
	// FromCheckpoint says that Effective comes from a checkpoint, so that
	// an empty database cannot be started without Restored.
	FromCheckpoint bool
}

func (o *Origin) sum() wire.Hash32 {
	var b []byte
	for i := range o.Genesis {
		b = append(b, codec.MustEncode(&o.Genesis[i])...)
	}
	return wire.Sum(b)
}

// Start writes the first accounts and the marker of the effective genesis, in
// one transaction, once; later it compares. Two processes may do it at once.
func Start(ctx context.Context, d *store.DB, o Origin) error {
	want := db.Genesis{ID: o.GenesisID, AccountsSum: o.sum(), Effective: o.Effective}
	have, found, err := db.ReadGenesis(ctx, d)
	if err != nil {
		return err
	}
	if !found {
		if err := store.RetryTx(ctx, d, func(tx pgx.Tx) error { return o.writeTx(ctx, tx, want) }); err != nil {
			return fmt.Errorf("start the state: %w", err)
		}
		if have, _, err = db.ReadGenesis(ctx, d); err != nil {
			return err
		}
	}
	return compare(have, want)
}

func (o *Origin) writeTx(ctx context.Context, tx pgx.Tx, g db.Genesis) error {
	if o.FromCheckpoint && o.Restored == nil {
		return fmt.Errorf("an empty database can start after layer %v only with the accounts of a checkpoint", o.Effective)
	}
	first, err := db.WriteGenesisTx(ctx, tx, g)
	if err != nil || !first {
		return err
	}
	accounts := o.Genesis
	if o.Restored != nil {
		accounts = o.Restored
	}
	if err := db.WriteAccountsTx(ctx, tx, accounts); err != nil {
		return err
	}
	return db.WriteLayerTx(ctx, tx, &db.Layer{ID: o.Effective})
}

func compare(have, want db.Genesis) error {
	switch {
	case have.ID != want.ID:
		return fmt.Errorf("%w: it has genesis id %v, the configuration (time and extra data) gives %v", ErrOtherGenesis, have.ID, want.ID)
	case have.AccountsSum != want.AccountsSum:
		return fmt.Errorf("%w: its genesis accounts differ from the configured ones", ErrOtherGenesis)
	case have.Effective != want.Effective:
		return fmt.Errorf("%w: it started from layer %v, the configuration from %v", ErrOtherGenesis, have.Effective, want.Effective)
	}
	return nil
}
