package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/rule"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Errors of a client's transaction (spec 09 §3.8).
var (
	errEmpty     = status.Error(codes.InvalidArgument, "transaction is empty")
	errNotSynced = status.Error(codes.FailedPrecondition, "Cannot submit transaction, node is not in sync yet, try again later")
	errSpawned   = status.Error(codes.NotFound, "account is not spawned")
	errSignature = status.Error(codes.InvalidArgument, "signature is invalid")
)

// alreadyThere is the reason of a repeat.
const alreadyThere = "tx already exists"

// Parse reads a client's transaction against the state, and checks its signatures
// if verify is set. Errors are those of spec 09 §3.8.
func (n *Node) Parse(ctx context.Context, raw []byte, verify bool) (*vm.Transaction, error) {
	if len(raw) == 0 {
		return nil, errEmpty
	}
	var tx vm.Transaction
	if err := n.machine.Parse(&tx, raw, accounts{ctx, n}); err != nil {
		return nil, n.parseError(raw, err)
	}
	if verify && !n.machine.Verify(&tx) {
		return nil, errSignature
	}
	return &tx, nil
}

func (n *Node) parseError(raw []byte, err error) error {
	switch r := rule.Of[vm.Rule](err); {
	case r == vm.RuleNotSpawned:
		return errSpawned
	case r != "":
		return status.Error(codes.InvalidArgument, malformed(raw, err))
	}
	return Failed(err)
}

// malformed is the text for a transaction that does not parse.
func malformed(raw []byte, err error) string {
	var e *vm.RuleError
	if !errors.As(err, &e) {
		return "malformed tx: " + err.Error()
	}
	switch version, ok := compact(raw); {
	case ok && version > math.MaxUint8:
		return fmt.Sprintf("malformed tx: failed to decode version value %d is out of range", version)
	case ok && version != 0:
		return fmt.Sprintf("malformed tx: unsupported version %d", version)
	}
	if strings.Contains(e.Detail, codec.ErrEOF.Error()) {
		return "malformed tx failed to decode method arguments unexpected EOF"
	}
	return "malformed tx: " + e.Detail
}

// compact reads the first bytes as the compact number that they are (spec 01 §2).
func compact(raw []byte) (uint64, bool) {
	if len(raw) == 0 {
		return 0, false
	}
	width := 1 << (raw[0] & 3)
	if raw[0]&3 == 3 || len(raw) < width {
		return 0, false
	}
	var v uint64
	for i := range width {
		v |= uint64(raw[i]) << (8 * i)
	}
	return v >> 2, true
}

// Submit hands a client's transaction to the mempool and the network. Errors are
// those of spec 09 §3.8.
func (n *Node) Submit(ctx context.Context, raw []byte) (wire.TransactionID, error) {
	id := wire.NewRawTx(raw).ID
	if len(raw) == 0 {
		return id, errEmpty
	}
	if !n.Synced(ctx) {
		return id, errNotSynced
	}
	known, err := state.TransactionsByID(ctx, n.DB, []wire.TransactionID{id})
	if err != nil {
		return id, Failed(err)
	}
	if len(known) > 0 && known[0].Header != nil {
		return id, status.Error(codes.InvalidArgument, "Failed to verify transaction: "+alreadyThere)
	}
	j, err := bus.SubmitTransaction().Call(ctx, n.Bus, bus.PeerMessage{Peer: bus.SelfPeer, Body: raw})
	if err != nil {
		return id, status.Error(codes.Internal, "Failed to publish transaction: "+err.Error())
	}
	if j.Verdict != bus.Accept || j.Reason == string(mempool.RuleDuplicate) {
		return id, status.Error(codes.InvalidArgument, "Failed to verify transaction: "+n.reason(id, raw, j))
	}
	return id, nil
}

// reason is why the mempool does not take a transaction, in the words of spec 09
// §3.8.
func (n *Node) reason(id wire.TransactionID, raw []byte, j bus.Judgement) string {
	switch mempool.Rule(j.Reason) {
	case mempool.RuleDuplicate:
		return alreadyThere
	case mempool.RuleParse:
		return fmt.Sprintf("failed to parse tx: %v (err: %s)", id, parseReason(raw, j.Detail))
	case mempool.RuleLimits:
		return fmt.Sprintf("failed to parse tx: layers limits are not enabled %v", id)
	case mempool.RuleFee:
		return fmt.Sprintf("failed to parse tx: zero gas price %v", id)
	case mempool.RuleSignature:
		return fmt.Sprintf("failed to verify tx: %v", id)
	case mempool.RuleNonce:
		return "bad nonce"
	case mempool.RuleBalance:
		return "insufficient balance"
	}
	return j.Reason
}

func parseReason(raw []byte, detail string) string {
	kind, rest, _ := strings.Cut(detail, ": ")
	if vm.Rule(kind) == vm.RuleNotSpawned {
		return "account is not spawned"
	}
	return malformed(raw, &vm.RuleError{Rule: vm.Rule(kind), Detail: rest})
}
