package v1

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// globalService is spec 09 §5.3.
type globalService struct {
	pb.UnimplementedGlobalStateServiceServer
	*api
}

// Flags of what is asked of accounts and of the whole state. Receipts, the first
// of each, never come.
const (
	flagReward  = uint32(pb.AccountDataFlag_ACCOUNT_DATA_FLAG_REWARD)
	flagAccount = uint32(pb.AccountDataFlag_ACCOUNT_DATA_FLAG_ACCOUNT)
	flagHash    = uint32(pb.GlobalStateDataFlag_GLOBAL_STATE_DATA_FLAG_GLOBAL_STATE_HASH)
)

// GlobalStateHash is of the last applied layer.
func (s *globalService) GlobalStateHash(ctx context.Context, _ *pb.GlobalStateHashRequest) (*pb.GlobalStateHashResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	last, _, err := state.LastApplied(ctx, s.Node.DB)
	if err != nil {
		return nil, node.Failed(err)
	}
	hash, err := s.stateHash(ctx, last)
	if err != nil {
		return nil, err
	}
	return &pb.GlobalStateHashResponse{Response: hash}, nil
}

// stateHash is zero for a layer without one.
func (a *api) stateHash(ctx context.Context, layer wire.LayerID) (*pb.GlobalStateHash, error) {
	applied, err := state.AppliedBetween(ctx, a.Node.DB, layer, layer)
	if err != nil {
		return nil, node.Failed(err)
	}
	var root wire.Hash32
	if len(applied) > 0 {
		root = applied[0].Root
	}
	return &pb.GlobalStateHash{RootHash: root[:], Layer: number(layer)}, nil
}

// Account is what an account holds, and will hold once the mempool is executed.
func (s *globalService) Account(ctx context.Context, in *pb.AccountRequest) (*pb.AccountResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	if in.GetAccountId() == nil {
		return nil, invalid("`AccountId` must be provided")
	}
	address, err := s.parse("in.AccountId.Address", in.GetAccountId().GetAddress())
	if err != nil {
		return nil, err
	}
	accounts, err := s.accountsNow(ctx, []wire.Address{address})
	if err != nil {
		return nil, err
	}
	return &pb.AccountResponse{AccountWrapper: accounts[0]}, nil
}

// accountsNow reads accounts in the order asked for; unknown ones are zero.
func (a *api) accountsNow(ctx context.Context, addresses []wire.Address) ([]*pb.Account, error) {
	found, err := state.AccountsAt(ctx, a.Node.DB, addresses, state.Latest)
	if err != nil {
		return nil, node.Failed(err)
	}
	known := make(map[wire.Address]wire.Account, len(found))
	for i := range found {
		known[found[i].Address] = found[i]
	}
	accounts := make([]wire.Account, len(addresses))
	for i, x := range addresses {
		accounts[i] = known[x]
		accounts[i].Address = x
	}
	projected := a.Node.Projected(ctx, accounts)
	out := make([]*pb.Account, len(accounts))
	for i := range accounts {
		out[i] = &pb.Account{
			AccountId:      a.account(accounts[i].Address),
			StateCurrent:   &pb.AccountState{Counter: accounts[i].NextNonce, Balance: amount(accounts[i].Balance)},
			StateProjected: &pb.AccountState{Counter: projected[i].Nonce, Balance: amount(projected[i].Balance)},
		}
	}
	return out, nil
}

// AccountDataQuery lists an account's rewards, and the account.
func (s *globalService) AccountDataQuery(ctx context.Context, in *pb.AccountDataQueryRequest) (*pb.AccountDataQueryResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	address, flags, err := s.dataFilter(in.GetFilter(), "Filter.AccountId.Address", "`Filter.AccountMeshDataFlags` must set at least one bitfield")
	if err != nil {
		return nil, err
	}
	rewards := int64(0)
	if flags&flagReward != 0 {
		if rewards, err = state.CountRewardsOfCoinbase(ctx, s.Node.DB, address); err != nil {
			return nil, node.Failed(err)
		}
	}
	total := rewards
	if flags&flagAccount != 0 {
		total++
	}
	from, to, ok := page(int(total), in.GetOffset(), in.GetMaxResults())
	if !ok {
		return &pb.AccountDataQueryResponse{}, nil
	}
	out := &pb.AccountDataQueryResponse{TotalResults: uint32(total)}
	if out.AccountItem, err = s.rewardItems(ctx, address, int64(from), min(int64(to), rewards)); err != nil {
		return nil, err
	}
	if flags&flagAccount != 0 && int64(from) <= rewards && int64(to) == total {
		accounts, err := s.accountsNow(ctx, []wire.Address{address})
		if err != nil {
			return nil, err
		}
		out.AccountItem = append(out.AccountItem, &pb.AccountData{Datum: &pb.AccountData_AccountWrapper{AccountWrapper: accounts[0]}})
	}
	return out, nil
}

// minRewardSize is the least that a reward takes in a response, in bytes.
const minRewardSize = 90

func (s *globalService) rewardItems(ctx context.Context, address wire.Address, from, to int64) ([]*pb.AccountData, error) {
	if from >= to {
		return nil, nil
	}
	if to-from > int64(s.SendSize/minRewardSize) {
		return nil, s.tooLarge()
	}
	rewards, err := state.RewardsPageOfCoinbase(ctx, s.Node.DB, address, from, to-from)
	if err != nil {
		return nil, node.Failed(err)
	}
	out := make([]*pb.AccountData, len(rewards))
	for i := range rewards {
		out[i] = &pb.AccountData{Datum: &pb.AccountData_Reward{Reward: s.reward(&rewards[i])}}
	}
	return out, nil
}

// dataFilter checks a filter; the text about flags differs between its users.
func (a *api) dataFilter(f *pb.AccountDataFilter, field, flags string) (wire.Address, uint32, error) {
	switch {
	case f == nil:
		return wire.Address{}, 0, invalid("`Filter` must be provided")
	case f.GetAccountId() == nil:
		return wire.Address{}, 0, invalid("`Filter.AccountId` must be provided")
	case f.GetAccountDataFlags() == 0:
		return wire.Address{}, 0, invalid(flags)
	}
	address, err := a.parse(field, f.GetAccountId().GetAddress())
	return address, f.GetAccountDataFlags(), err
}
