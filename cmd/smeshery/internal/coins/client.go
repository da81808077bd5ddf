package coins

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Client talks to a node.
type Client struct {
	conn     *grpc.ClientConn
	accounts pb.AccountServiceClient
	txs      pb.TransactionServiceClient
	// Genesis is the network's id, HRP the prefix of its addresses.
	Genesis wire.Hash20
	HRP     string
}

// Dial connects to the public API of a node, host:port, and asks which network it
// is in.
func Dial(ctx context.Context, target string) (*Client, error) {
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("--api %s: %w", target, err)
	}
	info, err := pb.NewNetworkServiceClient(conn).Info(ctx, &pb.NetworkInfoRequest{})
	if err == nil && len(info.GenesisId) != len(wire.Hash20{}) {
		err = fmt.Errorf("its genesis id has %d bytes", len(info.GenesisId))
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("the node at --api %s: %w", target, plain(err))
	}
	return &Client{
		conn: conn, accounts: pb.NewAccountServiceClient(conn), txs: pb.NewTransactionServiceClient(conn),
		Genesis: wire.Hash20(info.GenesisId), HRP: info.Hrp,
	}, nil
}

// Close ends the connection.
func (c *Client) Close() { _ = c.conn.Close() }

// plain is an error of gRPC without its wrapping.
func plain(err error) error {
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return errors.New(s.Message())
	}
	return err
}

// Account is how an account is, now and after the transactions that wait.
type Account struct {
	Address          wire.Address
	Balance, Pending uint64
	// Nonce is the one of the next transaction.
	Nonce   uint64
	Spawned bool
}

// Account asks for an account; one that nobody has heard of is empty.
func (c *Client) Account(ctx context.Context, a wire.Address) (Account, error) {
	out := Account{Address: a}
	reply, err := c.accounts.List(ctx, &pb.AccountRequest{Addresses: []string{address.Text(c.HRP, a)}, Limit: 1})
	if err != nil {
		return out, plain(err)
	}
	if len(reply.Accounts) == 0 {
		return out, nil
	}
	found := reply.Accounts[0]
	out.Balance, out.Pending = found.GetCurrent().GetBalance(), found.GetProjected().GetBalance()
	out.Nonce, out.Spawned = found.GetProjected().GetCounter(), found.GetTemplate() != ""
	return out, nil
}

// Spawn sends the transaction that makes an account of a key.
func (c *Client) Spawn(ctx context.Context, key signing.WalletKey, gasPrice uint64) (wire.TransactionID, error) {
	args := vm.WalletArgs{PublicKey: key.PublicKey()}
	from, err := c.Account(ctx, vm.Principal(vm.Wallet, &args))
	if err != nil {
		return wire.TransactionID{}, err
	}
	if from.Spawned {
		return wire.TransactionID{}, errors.New("the account is spawned already")
	}
	raw := vm.SelfSpawn(vm.Wallet, &args, vm.Payload{Nonce: from.Nonce, GasPrice: gasPrice})
	return c.submit(ctx, key, raw, &from, 0, gasPrice)
}

// Send sends coins from the account of a key.
func (c *Client) Send(ctx context.Context, key signing.WalletKey, to wire.Address, amount, gasPrice uint64) (wire.TransactionID, error) {
	from, err := c.Account(ctx, vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key.PublicKey()}))
	if err != nil {
		return wire.TransactionID{}, err
	}
	if !from.Spawned {
		return wire.TransactionID{}, errors.New("the account has to be spawned first; see smeshery wallet spawn --help")
	}
	raw := vm.Spend(from.Address, vm.SpendArgs{To: to, Amount: amount}, vm.Payload{Nonce: from.Nonce, GasPrice: gasPrice})
	return c.submit(ctx, key, raw, &from, amount, gasPrice)
}

// submit signs a transaction and sends it if the account can pay.
func (c *Client) submit(
	ctx context.Context, key signing.WalletKey, raw []byte, from *Account, amount, gasPrice uint64,
) (id wire.TransactionID, err error) {
	signature := key.SignTransaction(c.Genesis[:], raw)
	raw = append(raw, signature[:]...)
	gas, err := c.txs.EstimateGas(ctx, &pb.EstimateGasRequest{Transaction: raw})
	if err != nil {
		return id, plain(err)
	}
	fee := gas.RecommendedMaxGas * gasPrice
	if from.Pending < fee || from.Pending-fee < amount {
		return id, fmt.Errorf("the account has %d smidge, and this takes %d and a fee of up to %d", from.Pending, amount, fee)
	}
	reply, err := c.txs.SubmitTransaction(ctx, &pb.SubmitTransactionRequest{Transaction: raw})
	if err != nil {
		return id, plain(err)
	}
	if len(reply.TxId) != len(id) {
		return id, fmt.Errorf("the node named the transaction with %d bytes", len(reply.TxId))
	}
	return wire.TransactionID(reply.TxId), nil
}

// Result is what a transaction did.
type Result struct {
	Success bool
	// Message is why it failed.
	Message  string
	Layer    wire.LayerID
	Fee, Gas uint64
}

// pollEvery is how often a transaction is asked for.
const pollEvery = 500 * time.Millisecond

// ErrUnknown says that a node does not know a transaction any more.
var ErrUnknown = errors.New("the node does not know the transaction any more")

// Wait asks until a transaction was executed.
func (c *Client) Wait(ctx context.Context, id wire.TransactionID) (Result, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		reply, err := c.txs.List(ctx, &pb.TransactionRequest{Txid: [][]byte{id[:]}, IncludeResult: true, IncludeState: true, Limit: 1})
		switch {
		case ctx.Err() != nil:
			return Result{}, fmt.Errorf("waited in vain for a layer that executes it: %w", ctx.Err())
		case status.Code(err) == codes.Unavailable: // it may come back
		case err != nil:
			return Result{}, plain(err)
		case len(reply.Transactions) == 0:
			return Result{}, ErrUnknown
		case reply.Transactions[0].GetTxResult() != nil:
			r := reply.Transactions[0].GetTxResult()
			return Result{
				Success: r.Status == pb.TransactionResult_TRANSACTION_STATUS_SUCCESS, Message: r.Message, Layer: wire.LayerID(r.Layer), Fee: r.Fee,
				Gas: r.GasConsumed,
			}, nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
