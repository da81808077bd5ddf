package coins_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/coins"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// chain is a node that judges transactions as a real one and executes each after it
// was asked for twice.
type chain struct {
	pb.UnimplementedNetworkServiceServer
	pb.UnimplementedAccountServiceServer
	pb.UnimplementedTransactionServiceServer

	mu       sync.Mutex
	machine  *vm.Machine
	accounts map[wire.Address]wire.Account
	raw      []byte
	asked    int
	forget   bool
}

var genesis = wire.Hash20{1, 2, 3}

const hrp = "standalone"

func (c *chain) Account(a wire.Address) (wire.Account, error) {
	if found, ok := c.accounts[a]; ok {
		return found, nil
	}
	return wire.Account{Address: a}, nil
}

func (c *chain) Info(context.Context, *pb.NetworkInfoRequest) (*pb.NetworkInfoResponse, error) {
	return &pb.NetworkInfoResponse{GenesisId: genesis[:], Hrp: hrp}, nil
}

func (c *chain) ListAccounts(_ context.Context, r *pb.AccountRequest) (*pb.AccountList, error) {
	a, err := address.Parse(hrp, r.Addresses[0])
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	found, ok := c.accounts[a]
	if !ok {
		return &pb.AccountList{}, nil
	}
	s := &pb.AccountState{Counter: found.NextNonce, Balance: found.Balance}
	out := &pb.Account{Address: r.Addresses[0], Current: s, Projected: s}
	if found.TemplateAddress != nil {
		out.Template = address.Text(hrp, *found.TemplateAddress)
	}
	return &pb.AccountList{Accounts: []*pb.Account{out}}, nil
}

func (c *chain) EstimateGas(_ context.Context, r *pb.EstimateGasRequest) (*pb.EstimateGasResponse, error) {
	var tx vm.Transaction
	if err := c.machine.Parse(&tx, r.Transaction, c); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &pb.EstimateGasResponse{RecommendedMaxGas: tx.Header.MaxGas}, nil
}

func (c *chain) SubmitTransaction(_ context.Context, r *pb.SubmitTransactionRequest) (*pb.SubmitTransactionResponse, error) {
	var tx vm.Transaction
	if err := c.machine.Parse(&tx, r.Transaction, c); err != nil || !c.machine.Verify(&tx) {
		return nil, status.Error(codes.InvalidArgument, "Failed to verify transaction")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw, c.asked = r.Transaction, 0
	id := wire.TransactionID{7}
	return &pb.SubmitTransactionResponse{TxId: id[:]}, nil
}

// list is the transactions' side of a chain; both services have a List.
type list struct{ *chain }

func (l list) List(context.Context, *pb.TransactionRequest) (*pb.TransactionList, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.forget {
		return &pb.TransactionList{}, nil
	}
	r := &pb.TransactionResponse{Tx: &pb.Transaction{}}
	if l.asked++; l.asked > 2 {
		r.TxResult = &pb.TransactionResult{Status: pb.TransactionResult_TRANSACTION_STATUS_SUCCESS, Layer: 9, Fee: 5}
	}
	return &pb.TransactionList{Transactions: []*pb.TransactionResponse{r}}, nil
}

type accounts struct {
	pb.UnimplementedAccountServiceServer
	*chain
}

func (a accounts) List(ctx context.Context, r *pb.AccountRequest) (*pb.AccountList, error) {
	return a.ListAccounts(ctx, r)
}

// serve runs a chain and connects to it.
func serve(t *testing.T, key signing.WalletKey, balance uint64) (*chain, *coins.Client) {
	p := network.Standalone()
	self := vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key.PublicKey()})
	c := &chain{
		machine:  vm.New(vm.ParamsOf(&p), signing.NewVerifier(genesis[:])),
		accounts: map[wire.Address]wire.Account{self: {Address: self, Balance: balance}},
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	pb.RegisterNetworkServiceServer(server, c)
	pb.RegisterAccountServiceServer(server, accounts{chain: c})
	pb.RegisterTransactionServiceServer(server, list{c})
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	client, err := coins.Dial(t.Context(), l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return c, client
}

func TestSpawnThenSend(t *testing.T) {
	key := signing.NewWalletKey([32]byte{5})
	c, client := serve(t, key, 1_000_000)
	_, err := client.Send(t.Context(), key, wire.Address{23: 9}, 5, 1)
	require.ErrorContains(t, err, "has to be spawned first")
	_, err = client.Spawn(t.Context(), key, 100)
	require.ErrorContains(t, err, "a fee of up to")
	id, err := client.Spawn(t.Context(), key, 1)
	require.NoError(t, err)
	r, err := client.Wait(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, coins.Result{Success: true, Layer: 9, Fee: 5}, r)

	self := vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key.PublicKey()})
	template, public := vm.Wallet.Address(), key.PublicKey()
	c.accounts[self] = wire.Account{Address: self, Balance: 1_000_000, NextNonce: 1, TemplateAddress: &template, State: public[:]}
	_, err = client.Spawn(t.Context(), key, 1)
	require.ErrorContains(t, err, "spawned already")
	_, err = client.Send(t.Context(), key, wire.Address{23: 9}, 1_000_000, 1)
	require.ErrorContains(t, err, "this takes 1000000 and a fee")
	_, err = client.Send(t.Context(), key, wire.Address{23: 9}, 700_000, 1)
	require.NoError(t, err)
	var tx vm.Transaction
	require.NoError(t, c.machine.Parse(&tx, c.raw, c))
	require.EqualValues(t, 1, tx.Header.Nonce)
	require.Equal(t, self, tx.Header.Principal)

	c.forget = true
	_, err = client.Wait(t.Context(), id)
	require.ErrorIs(t, err, coins.ErrUnknown)
}

func TestNobodyThere(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := coins.Dial(ctx, "127.0.0.1:1")
	require.ErrorContains(t, err, "the node at --api 127.0.0.1:1")
}
