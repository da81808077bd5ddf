package v1

import (
	"context"
	"math"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// TransactionsStateStream tells of some transactions when they come into the
// mempool, and when their layer goes on (spec 09 §7.2).
func (s *transactionService) TransactionsStateStream(
	in *pb.TransactionsStateStreamRequest, stream grpc.ServerStreamingServer[pb.TransactionsStateStreamResponse],
) error {
	if len(in.GetTransactionId()) == 0 {
		return invalid("`TransactionId` must include one or more transaction IDs")
	}
	ids := transactionIDs(in.GetTransactionId())
	wanted := make(map[wire.TransactionID]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	sub := s.Live.Subscribe(live.BufferV1, stateMatch(wanted), live.KindTransactions, live.KindLayers)
	defer sub.Close()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, bufferText(err))
		}
		changed, err := s.changed(stream.Context(), e, ids, wanted)
		if err != nil {
			return err
		}
		for _, m := range changed {
			if !in.GetIncludeTransactions() {
				m.Transaction = nil
			}
			if err := stream.Send(m); err != nil {
				return err
			}
		}
	}
}

func stateMatch(wanted map[wire.TransactionID]bool) func(live.Event) bool {
	return func(e live.Event) bool {
		txs, ok := e.(live.Transactions)
		if !ok {
			return true
		}
		for i := range txs.Transactions {
			if wanted[txs.Transactions[i].ID] {
				return true
			}
		}
		return false
	}
}

func (s *transactionService) changed(
	ctx context.Context, e live.Event, ids []wire.TransactionID, wanted map[wire.TransactionID]bool,
) ([]*pb.TransactionsStateStreamResponse, error) {
	switch e := e.(type) {
	case live.Transactions:
		var some []wire.TransactionID
		for i := range e.Transactions {
			if id := e.Transactions[i].ID; wanted[id] {
				some = append(some, id)
			}
		}
		return s.states(ctx, some, stateOf)
	case live.Layer:
		members, err := state.BlockMembers(ctx, s.Node.DB, e.Layer, ids)
		if err != nil {
			return nil, node.Failed(err)
		}
		var some []wire.TransactionID
		for _, id := range ids {
			if members[id] {
				some = append(some, id)
			}
		}
		return s.states(ctx, some, func(*state.Transaction) pb.TransactionState_TransactionState { return stateIn(e.Status) })
	}
	return nil, nil
}

// layerConfirmed is a status that the network's software knows and never tells.
const layerConfirmed events.LayerStatus = 2

// stateIn is what a layer's status says of its transactions.
func stateIn(status events.LayerStatus) pb.TransactionState_TransactionState {
	switch status {
	case events.LayerApproved:
		return pb.TransactionState_TRANSACTION_STATE_MESH
	case layerConfirmed:
		return pb.TransactionState_TRANSACTION_STATE_PROCESSED
	}
	return pb.TransactionState_TRANSACTION_STATE_UNSPECIFIED
}

func (s *transactionService) states(
	ctx context.Context, ids []wire.TransactionID, of func(*state.Transaction) pb.TransactionState_TransactionState,
) ([]*pb.TransactionsStateStreamResponse, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	txs, err := s.transactions(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*pb.TransactionsStateStreamResponse, len(ids))
	for i, id := range ids {
		out[i] = &pb.TransactionsStateStreamResponse{
			TransactionState: &pb.TransactionState{Id: &pb.TransactionId{Id: id[:]}, State: of(txs[id])},
			Transaction:      s.included(txs[id]),
		}
	}
	return out, nil
}

// resultFilter is what StreamResults is asked for.
type resultFilter struct {
	id         *wire.TransactionID
	account    *wire.Address
	start, end wire.LayerID
}

func (f *resultFilter) match(id wire.TransactionID, r *wire.TransactionResult) bool {
	if f.id != nil && *f.id != id || r.Layer < f.start || r.Layer > f.end {
		return false
	}
	if f.account == nil {
		return true
	}
	for i := range r.Addresses {
		if r.Addresses[i] == *f.account {
			return true
		}
	}
	return false
}

func (s *transactionService) resultFilter(in *pb.TransactionResultsRequest) (*resultFilter, error) {
	f := &resultFilter{start: wire.LayerID(in.GetStart()), end: wire.LayerID(in.GetEnd())}
	if f.end == 0 {
		f.end = math.MaxUint32
	}
	if len(in.GetId()) > 0 {
		f.id = new(wire.TransactionID)
		copy(f.id[:], in.GetId())
	}
	if in.GetAddress() != "" {
		account, err := s.parse("in.Address", in.GetAddress())
		if err != nil {
			return nil, err
		}
		f.account = &account
	}
	return f, nil
}

// StreamResults tells results of the past, and then new ones (spec 09 §6.1).
func (s *transactionService) StreamResults(in *pb.TransactionResultsRequest, stream grpc.ServerStreamingServer[pb.TransactionResult]) error {
	if in.GetWatch() && in.GetEnd() != 0 {
		return invalid("watch stream should have an empty End argument")
	}
	filter, err := s.resultFilter(in)
	if err != nil {
		return err
	}
	var sub *live.Subscription
	if in.GetWatch() {
		sub = s.Live.Subscribe(live.BufferV2, resultsMatch(filter), live.KindResults)
		defer sub.Close()
		if err := stream.SendHeader(metadata.MD{}); err != nil {
			return err
		}
	}
	last, err := s.pastResults(stream.Context(), filter, stream.Send)
	if err != nil || sub == nil {
		return err
	}
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, "buffer overflow")
		}
		if err := s.newResults(stream.Context(), e, filter, last, stream.Send); err != nil {
			return err
		}
	}
}

func resultsMatch(f *resultFilter) func(live.Event) bool {
	return func(e live.Event) bool {
		results, ok := e.(live.Results)
		if !ok {
			return false
		}
		for i := range results.Results {
			if f.match(results.Results[i].ID, &results.Results[i].Result) {
				return true
			}
		}
		return false
	}
}

// resultPage is how many results are read at a time.
const resultPage = 500

// pastResults sends what is stored and tells the last layer of it.
func (s *transactionService) pastResults(ctx context.Context, f *resultFilter, send func(*pb.TransactionResult) error) (wire.LayerID, error) {
	from, after, last := f.start, wire.TransactionID{}, wire.LayerID(0)
	for {
		page, more, err := s.resultsAfter(ctx, f, from, after)
		if err != nil {
			return 0, node.Failed(err)
		}
		for i := range page {
			tx := &page[i]
			if tx.Result == nil || !f.match(tx.ID, tx.Result) {
				continue
			}
			if err := send(s.result(tx)); err != nil {
				return 0, err
			}
			last = tx.Result.Layer
		}
		if !more {
			return last, nil
		}
		end := page[len(page)-1]
		from, after = end.Result.Layer, end.ID
	}
}

func (s *transactionService) resultsAfter(ctx context.Context, f *resultFilter, from wire.LayerID, after wire.TransactionID) ([]state.Transaction, bool, error) {
	if f.id != nil {
		one, err := state.TransactionsByID(ctx, s.Node.DB, []wire.TransactionID{*f.id})
		return one, false, err
	}
	page, err := state.ResultsPage(ctx, s.Node.DB, f.account, from, f.end, after, resultPage)
	return page, len(page) == resultPage, err
}

// newResults sends what is newer than the past that was sent.
func (s *transactionService) newResults(ctx context.Context, e live.Event, f *resultFilter, last wire.LayerID, send func(*pb.TransactionResult) error) error {
	results, ok := e.(live.Results)
	if !ok {
		return nil
	}
	var ids []wire.TransactionID
	told := make(map[wire.TransactionID]*state.Result)
	for i := range results.Results {
		r := &results.Results[i]
		if r.Result.Layer > last && f.match(r.ID, &r.Result) {
			ids = append(ids, r.ID)
			told[r.ID] = r
		}
	}
	if len(ids) == 0 {
		return nil
	}
	txs, err := s.transactions(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if txs[id] == nil {
			continue // reverted meanwhile and forgotten
		}
		tx := *txs[id]
		tx.Header, tx.Result = &told[id].Header, &told[id].Result
		if err := send(s.result(&tx)); err != nil {
			return err
		}
	}
	return nil
}
