package v2

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// transactionService is spec 09 §3.8.
type transactionService struct {
	n *node.Node
	// ineffectual tells of transactions that can never be executed; the first
	// clients of v2alpha1 do not know that state.
	ineffectual bool
}

// List is a page of transactions by layer.
func (s *transactionService) List(ctx context.Context, r *pb.TransactionRequest) (*pb.TransactionList, error) {
	if err := checkLimit(r.Limit); err != nil {
		return nil, err
	}
	f := state.TransactionFilter{IDs: orNil(r.Txid), From: layer(r.StartLayer), To: layer(r.EndLayer)}
	if r.Address != nil {
		a, err := s.n.Address(*r.Address)
		if err != nil {
			return nil, invalid(err)
		}
		f.Address = &a
	}
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	found, stale, err := s.read(ctx, r, f)
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.TransactionList{Transactions: make([]*pb.TransactionResponse, len(found))}
	for i := range found {
		out.Transactions[i] = responseOf(s.n.Text, &found[i], r.IncludeState, r.IncludeResult)
		if stale[found[i].ID] {
			out.Transactions[i].TxState = pb.TransactionState_TRANSACTION_STATE_INEFFECTUAL.Enum()
		}
	}
	return out, nil
}

func layer(l *uint32) *wire.LayerID {
	if l == nil {
		return nil
	}
	id := wire.LayerID(*l)
	return &id
}

// read takes a page as of one moment, and which of its transactions can never be
// executed, if that is asked for.
func (s *transactionService) read(ctx context.Context, r *pb.TransactionRequest, f state.TransactionFilter) (found []state.Transaction, stale map[wire.TransactionID]bool, err error) {
	err = pgx.BeginTxFunc(ctx, s.n.DB, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		page := state.Page{Limit: int64(r.Limit), Offset: offset(r.Offset), Descending: r.SortOrder == pb.SortOrder_DESC}
		if found, err = state.ListTransactions(ctx, tx, f, page); err != nil {
			return err
		}
		if s.ineffectual && r.IncludeState {
			stale, err = overtaken(ctx, tx, found)
		}
		return err
	})
	return found, stale, err
}

// overtaken are transactions that wait although their accounts are past them.
func overtaken(ctx context.Context, tx pgx.Tx, found []state.Transaction) (map[wire.TransactionID]bool, error) {
	var principals []wire.Address
	for i := range found {
		if t := &found[i]; t.Header != nil && t.Result == nil {
			principals = append(principals, t.Header.Principal)
		}
	}
	if len(principals) == 0 {
		return nil, nil
	}
	accounts, err := state.AccountsAt(ctx, tx, principals, state.Latest)
	if err != nil {
		return nil, err
	}
	next := make(map[wire.Address]uint64, len(accounts))
	for i := range accounts {
		next[accounts[i].Address] = accounts[i].NextNonce
	}
	out := make(map[wire.TransactionID]bool)
	for i := range found {
		if t := &found[i]; t.Header != nil && t.Result == nil && t.Header.Nonce < next[t.Header.Principal] {
			out[t.ID] = true
		}
	}
	return out, nil
}

// responseOf is a stored transaction as users see it; empty if its bytes have
// become unreadable.
func responseOf(text func(wire.Address) string, t *state.Transaction, withState, withResult bool) *pb.TransactionResponse {
	tx := &pb.Transaction{Id: t.ID[:], Raw: t.Raw}
	if t.Header != nil {
		if err := fill(text, tx, t.Header); err != nil {
			return &pb.TransactionResponse{}
		}
	}
	out := &pb.TransactionResponse{Tx: tx}
	if withState {
		out.TxState = stateOf(t).Enum()
	}
	if withResult && t.Result != nil {
		out.TxResult = resultOf(text, t.Result)
	}
	return out
}

// fill adds what the header and the bytes tell.
func fill(text func(wire.Address) string, tx *pb.Transaction, h *wire.TxHeader) (err error) {
	if tx.Type, tx.Contents, err = contents(text, tx.Raw); err != nil {
		return err
	}
	tx.Principal, tx.Template = text(h.Principal), text(h.TemplateAddress)
	tx.Method, tx.Nonce = uint32(h.Method), &pb.Nonce{Counter: h.Nonce}
	tx.MaxGas, tx.GasPrice, tx.MaxSpend = h.MaxGas, h.GasPrice, h.MaxSpend
	return nil
}

func stateOf(t *state.Transaction) pb.TransactionState {
	switch {
	case t.Result != nil && t.Result.Layer != 0:
		return pb.TransactionState_TRANSACTION_STATE_PROCESSED
	case t.Header != nil:
		return pb.TransactionState_TRANSACTION_STATE_MEMPOOL
	}
	return pb.TransactionState_TRANSACTION_STATE_UNSPECIFIED
}

func resultOf(text func(wire.Address) string, r *wire.TransactionResult) *pb.TransactionResult {
	out := &pb.TransactionResult{
		Message: r.Message, GasConsumed: r.Gas, Fee: r.Fee, Block: r.Block[:], Layer: uint32(r.Layer),
		TouchedAddresses: make([]string, len(r.Addresses)),
	}
	switch r.Status {
	case 0:
		out.Status = pb.TransactionResult_TRANSACTION_STATUS_SUCCESS
	case 1:
		out.Status = pb.TransactionResult_TRANSACTION_STATUS_FAILURE
	}
	for i, a := range r.Addresses {
		out.TouchedAddresses[i] = text(a)
	}
	return out
}

// ParseTransaction reads a transaction against the accounts as they are.
func (s *transactionService) ParseTransaction(ctx context.Context, r *pb.ParseTransactionRequest) (*pb.ParseTransactionResponse, error) {
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	parsed, err := s.n.Parse(ctx, r.Transaction, r.Verify)
	if err != nil {
		return nil, err
	}
	tx := &pb.Transaction{Raw: r.Transaction}
	if err := fill(s.n.Text, tx, &parsed.Header); err != nil {
		return nil, status.Error(codes.Internal, fmt.Sprintf("contents of a transaction that parses: %v", err))
	}
	return &pb.ParseTransactionResponse{Tx: tx}, nil
}

// SubmitTransaction gives a transaction to the mempool and the network.
func (s *transactionService) SubmitTransaction(ctx context.Context, r *pb.SubmitTransactionRequest) (*pb.SubmitTransactionResponse, error) {
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	id, err := s.n.Submit(ctx, r.Transaction)
	if err != nil {
		return nil, err
	}
	return &pb.SubmitTransactionResponse{Status: &rpcstatus.Status{}, TxId: id[:]}, nil
}

// EstimateGas tells the most gas that a transaction can take.
func (s *transactionService) EstimateGas(ctx context.Context, r *pb.EstimateGasRequest) (*pb.EstimateGasResponse, error) {
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	parsed, err := s.n.Parse(ctx, r.Transaction, false)
	if err != nil {
		return nil, err
	}
	return &pb.EstimateGasResponse{RecommendedMaxGas: parsed.Header.MaxGas}, nil
}
