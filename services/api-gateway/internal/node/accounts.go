package node

import (
	"context"
	"fmt"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Projected tells what accounts hold after everything of their own that waits in
// the mempool. While state does not answer that is what they hold now.
func (n *Node) Projected(ctx context.Context, accounts []wire.Account) []bus.Projection {
	out := make([]bus.Projection, len(accounts))
	for i, a := range accounts {
		out[i] = bus.Projection{Nonce: a.NextNonce, Balance: a.Balance}
	}
	if len(accounts) == 0 {
		return out
	}
	request := bus.ProjectedRequest{Addresses: make([]wire.Address, len(accounts))}
	for i, a := range accounts {
		request.Addresses[i] = a.Address
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	if r, err := bus.Projected().Call(ctx, n.Bus, request); err == nil && len(r.Projections) == len(out) {
		return r.Projections
	}
	return out
}

// accounts reads newest versions for the machine.
type accounts struct {
	ctx context.Context
	n   *Node
}

// Account is vm.AccountReader.
func (r accounts) Account(a wire.Address) (wire.Account, error) {
	found, err := state.AccountsAt(r.ctx, r.n.DB, []wire.Address{a}, state.Latest)
	if err != nil {
		return wire.Account{}, fmt.Errorf("account: %w", err)
	}
	if len(found) == 0 {
		return wire.Account{Address: a}, nil
	}
	return found[0], nil
}
