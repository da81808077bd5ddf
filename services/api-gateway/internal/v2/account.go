package v2

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"

	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// accountService is spec 09 §3.1.
type accountService struct{ n *node.Node }

// List is a page of accounts, the last changed first.
func (s *accountService) List(ctx context.Context, r *pb.AccountRequest) (*pb.AccountList, error) {
	if err := checkLimit(r.Limit); err != nil {
		return nil, err
	}
	addresses := make(map[wire.Address]struct{}, len(r.Addresses))
	for _, text := range r.Addresses {
		a, err := s.n.Address(text)
		if err != nil {
			return nil, invalid(err)
		}
		addresses[a] = struct{}{}
	}
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	found, err := s.read(ctx, addresses, int64(r.Limit), offset(r.Offset))
	if err != nil {
		return nil, node.Failed(err)
	}
	projected := s.n.Projected(ctx, found)
	out := &pb.AccountList{Accounts: make([]*pb.Account, len(found))}
	for i := range found {
		a := &found[i]
		account := &pb.Account{
			Address:   s.n.Text(a.Address),
			Current:   &pb.AccountState{Counter: a.NextNonce, Balance: a.Balance, Layer: uint32(a.Layer)},
			Projected: &pb.AccountState{Counter: projected[i].Nonce, Balance: projected[i].Balance},
		}
		if a.TemplateAddress != nil {
			account.Template = s.n.Text(*a.TemplateAddress)
		}
		out.Accounts[i] = account
	}
	return out, nil
}

func (s *accountService) read(ctx context.Context, addresses map[wire.Address]struct{}, limit, offset int64) ([]wire.Account, error) {
	if len(addresses) == 0 {
		return state.ListAccounts(ctx, s.n.DB, state.Page{Limit: limit, Offset: offset})
	}
	keys := make([]wire.Address, 0, len(addresses))
	for a := range addresses {
		keys = append(keys, a)
	}
	found, err := state.AccountsAt(ctx, s.n.DB, keys, state.Latest)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b wire.Account) int {
		return cmp.Or(cmp.Compare(b.Layer, a.Layer), bytes.Compare(a.Address[:], b.Address[:]))
	})
	found = found[min(offset, int64(len(found))):]
	return found[:min(limit, int64(len(found)))], nil
}
