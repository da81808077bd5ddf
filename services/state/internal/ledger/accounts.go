package ledger

import (
	"context"

	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Accounts are accounts that were read together. It is a vm.AccountReader that
// reads the rest one by one, with the context it was made with: it lives no longer
// than the request it was made for.
type Accounts struct {
	known map[wire.Address]wire.Account
	read  func(wire.Address) (wire.Account, error)
}

// Account is the account at the tip.
func (a *Accounts) Account(address wire.Address) (wire.Account, error) {
	if account, ok := a.known[address]; ok {
		return account, nil
	}
	account, err := a.read(address)
	if err == nil {
		a.known[address] = account
	}
	return account, err
}

// Accounts reads accounts at the tip, from the cache or in one query.
func (l *Ledger) Accounts(ctx context.Context, addresses []wire.Address) (*Accounts, error) {
	out := &Accounts{known: make(map[wire.Address]wire.Account, len(addresses))}
	out.read = func(address wire.Address) (wire.Account, error) {
		one := make(map[wire.Address]wire.Account, 1)
		err := l.readAccounts(ctx, []wire.Address{address}, one)
		return one[address], err
	}
	return out, l.readAccounts(ctx, addresses, out.known)
}

// readAccounts puts accounts into out, absent ones as empty.
func (l *Ledger) readAccounts(ctx context.Context, addresses []wire.Address, out map[wire.Address]wire.Account) error {
	missing, version := l.cache.lookup(addresses, out)
	if len(missing) == 0 {
		return nil
	}
	found, err := state.AccountsAt(ctx, l.db, missing, state.Latest)
	if err != nil {
		return err
	}
	for i := range found {
		out[found[i].Address] = found[i]
	}
	for _, address := range missing {
		if _, ok := out[address]; !ok {
			out[address] = wire.Account{Address: address}
			found = append(found, out[address])
		}
	}
	l.cache.fill(version, found)
	return nil
}
