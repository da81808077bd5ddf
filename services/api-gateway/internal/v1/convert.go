package v1

import (
	"fmt"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// account is an address as users write it.
func (a *api) account(address wire.Address) *pb.AccountId {
	return &pb.AccountId{Address: a.text(address)}
}

func (a *api) text(x wire.Address) string { return address.Text(a.Node.Network.HRP, x) }

// parse reads an address of a request's field. Its error has no gRPC code: that is
// Unknown, which is what clients of v1 get (spec 09 §1.2).
func (a *api) parse(field, text string) (wire.Address, error) {
	x, err := a.Node.Address(text)
	if err != nil {
		return x, fmt.Errorf("failed to parse %s `%s`: %w", field, text, err)
	}
	return x, nil
}

func number[T ~uint32](l T) *pb.LayerNumber { return &pb.LayerNumber{Number: uint32(l)} }

func amount(v uint64) *pb.Amount { return &pb.Amount{Value: v} }

// transaction is spec 09 §5.4.
func (a *api) transaction(tx *state.Transaction) *pb.Transaction {
	out := &pb.Transaction{Id: tx.ID[:], Raw: tx.Raw}
	if h := tx.Header; h != nil {
		out.Principal, out.Template = a.account(h.Principal), a.account(h.TemplateAddress)
		out.Method, out.Nonce = uint32(h.Method), &pb.Nonce{Counter: h.Nonce}
		out.Limits = &pb.LayerLimits{Min: h.LayerLimits.Min, Max: h.LayerLimits.Max}
		out.MaxGas, out.GasPrice, out.MaxSpend = h.MaxGas, h.GasPrice, h.MaxSpend
	}
	return out
}

// stateOf is spec 09 §6.1; nil is a transaction that nobody knows.
func stateOf(tx *state.Transaction) pb.TransactionState_TransactionState {
	switch {
	case tx == nil:
		return pb.TransactionState_TRANSACTION_STATE_UNSPECIFIED
	case tx.Result != nil:
		return pb.TransactionState_TRANSACTION_STATE_PROCESSED
	case tx.Header != nil:
		return pb.TransactionState_TRANSACTION_STATE_MEMPOOL
	}
	return pb.TransactionState_TRANSACTION_STATE_UNSPECIFIED
}

// result is a transaction with what became of it; both are known.
func (a *api) result(tx *state.Transaction) *pb.TransactionResult {
	r := tx.Result
	out := &pb.TransactionResult{
		Tx: a.transaction(tx), Status: resultStatus(r.Status), Message: r.Message, GasConsumed: r.Gas, Fee: r.Fee,
		Block: r.Block[:], Layer: uint32(r.Layer),
	}
	for _, touched := range r.Addresses {
		out.TouchedAddresses = append(out.TouchedAddresses, a.text(touched))
	}
	return out
}

func resultStatus(s uint8) pb.TransactionResult_Status {
	switch s {
	case 0:
		return pb.TransactionResult_SUCCESS
	case 1:
		return pb.TransactionResult_FAILURE
	}
	return pb.TransactionResult_INVALID
}

func (a *api) reward(r *wire.Reward) *pb.Reward {
	return &pb.Reward{
		Layer: number(r.Layer), Total: amount(r.TotalReward), LayerReward: amount(r.LayerReward),
		Coinbase: a.account(r.Coinbase), Smesher: &pb.SmesherId{Id: r.SmesherID[:]},
	}
}

// activation is spec 09 §5.4: what is called layer is the publish epoch.
func (a *api) activation(x *activation.ATXDetails) *pb.Activation {
	previous := x.Previous
	if len(previous) == 0 {
		previous = []wire.ATXID{{}}
	}
	out := &pb.Activation{
		Id: &pb.ActivationId{Id: x.ID[:]}, Layer: number(x.PublishEpoch), SmesherId: &pb.SmesherId{Id: x.Node[:]},
		Coinbase: a.account(x.Coinbase), NumUnits: x.Units, Sequence: x.Sequence,
		PrevAtx: &pb.ActivationId{Id: previous[0][:]}, //nolint:staticcheck // old clients read it
	}
	for i := range previous {
		out.PreviousAtxs = append(out.PreviousAtxs, &pb.ActivationId{Id: previous[i][:]})
	}
	return out
}
