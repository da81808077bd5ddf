package v1

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	rpc "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// transactionService is spec 09 §6.1.
type transactionService struct {
	pb.UnimplementedTransactionServiceServer
	*api
}

// SubmitTransaction puts a transaction into the mempool and publishes it.
func (s *transactionService) SubmitTransaction(ctx context.Context, in *pb.SubmitTransactionRequest) (*pb.SubmitTransactionResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	if len(in.GetTransaction()) == 0 {
		return nil, invalid("`Transaction` payload empty")
	}
	id, err := s.Node.Submit(ctx, in.GetTransaction())
	if err != nil {
		return nil, err
	}
	return &pb.SubmitTransactionResponse{
		Status:  &rpc.Status{},
		Txstate: &pb.TransactionState{Id: &pb.TransactionId{Id: id[:]}, State: pb.TransactionState_TRANSACTION_STATE_MEMPOOL},
	}, nil
}

// ParseTransaction reads a transaction against the present state.
func (s *transactionService) ParseTransaction(ctx context.Context, in *pb.ParseTransactionRequest) (*pb.ParseTransactionResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	if len(in.GetTransaction()) == 0 {
		return nil, invalid("empty transaction")
	}
	tx, err := s.Node.Parse(ctx, in.GetTransaction(), in.GetVerify())
	if err != nil {
		return nil, err
	}
	return &pb.ParseTransactionResponse{Tx: s.transaction(&state.Transaction{
		ID: wire.NewRawTx(tx.Raw()).ID, Raw: tx.Raw(), Header: &tx.Header,
	})}, nil
}

// TransactionsState tells what became of transactions, in the order asked for.
func (s *transactionService) TransactionsState(ctx context.Context, in *pb.TransactionsStateRequest) (*pb.TransactionsStateResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	if len(in.GetTransactionId()) == 0 {
		return nil, invalid("`TransactionId` must include one or more transaction IDs")
	}
	ids := transactionIDs(in.GetTransactionId())
	out := &pb.TransactionsStateResponse{}
	size := 0
	for first := 0; first < len(ids); first += txChunk {
		chunk := ids[first:min(len(ids), first+txChunk)]
		txs, err := s.transactions(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for i, id := range chunk {
			tx := txs[id]
			out.TransactionsState = append(out.TransactionsState, &pb.TransactionState{Id: in.GetTransactionId()[first+i], State: stateOf(tx)})
			if in.GetIncludeTransactions() {
				included := s.included(tx)
				out.Transactions = append(out.Transactions, included)
				size += len(included.GetRaw())
			}
		}
		if size > s.SendSize {
			return nil, s.tooLarge()
		}
	}
	return out, nil
}

// included is empty for a transaction that nobody knows.
func (a *api) included(tx *state.Transaction) *pb.Transaction {
	if tx == nil {
		return &pb.Transaction{}
	}
	return a.transaction(tx)
}

// transactionIDs cuts and fills up what clients call ids.
func transactionIDs(in []*pb.TransactionId) []wire.TransactionID {
	out := make([]wire.TransactionID, len(in))
	for i := range in {
		copy(out[i][:], in[i].GetId())
	}
	return out
}
