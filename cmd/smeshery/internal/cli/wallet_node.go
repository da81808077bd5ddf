package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/coins"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/live"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// callLimit bounds everything but waiting for a layer.
const callLimit = 30 * time.Second

func (f *walletFlags) withAPI() *walletFlags {
	f.api = f.set.String("api", "127.0.0.1:10092", "`address` of a node's public API")
	return f
}

func (f *walletFlags) withTransaction() *walletFlags {
	f.account = f.set.Uint("account", 0, "`number` of the account, from 0 on")
	f.gasPrice = f.set.Uint64("gas-price", 1, "`smidge` for a unit of gas")
	f.wait = f.set.Bool("wait", true, "wait until a layer has executed the transaction, and tell its result")
	f.timeout = f.set.Duration("timeout", 5*time.Minute, "`time` to wait at most")
	return f.withAPI()
}

func walletBalance(ctx context.Context, e *env, args []string) (int, error) {
	f := newWalletFlags(e, "balance", "[ADDRESS …] [flags]", "Asks a node for the balances of a wallet's accounts, or of other addresses.").withAPI()
	if err := f.parse(args); err != nil {
		return exitError, err
	}
	asking, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	node, err := coins.Dial(asking, *f.api)
	if err != nil {
		return exitError, err
	}
	defer node.Close()
	addresses, err := f.addresses(e, node.HRP)
	if err != nil {
		return exitError, err
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "address\tbalance\tafter what waits\tspawned")
	for _, a := range addresses {
		account, err := node.Account(asking, a)
		if err != nil {
			return exitError, err
		}
		spawned := "no"
		if account.Spawned {
			spawned = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", address.Text(node.HRP, a), live.Coins(account.Balance), live.Coins(account.Pending), spawned)
	}
	return exitOK, table.Flush()
}

// addresses are those of the arguments, or of the wallet.
func (f *walletFlags) addresses(e *env, hrp string) (out []wire.Address, err error) {
	for _, text := range f.rest {
		a, err := address.Parse(hrp, text)
		if err != nil {
			return nil, usagef("%s: %w", text, err)
		}
		out = append(out, a)
	}
	if len(out) > 0 {
		return out, nil
	}
	s, err := f.open(e)
	if err != nil {
		return nil, err
	}
	for i := range s.Accounts {
		a, err := s.Accounts[i].Address()
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func walletSpawn(ctx context.Context, e *env, args []string) (int, error) {
	f := newWalletFlags(e, "spawn", "[flags]", `Makes an account able to send: the network learns its public key. The account has
to have coins for the fee. Receiving needs no spawn.`).withTransaction()
	if err := errors.Join(f.parse(args), f.noArguments()); err != nil {
		return exitError, err
	}
	return f.transact(ctx, e, func(ctx context.Context, node *coins.Client, key signing.WalletKey) (wire.TransactionID, error) {
		return node.Spawn(ctx, key, *f.gasPrice)
	})
}

func walletSend(ctx context.Context, e *env, args []string) (int, error) {
	f := newWalletFlags(e, "send", "TO AMOUNT [flags]", `Sends coins to an address. AMOUNT is in smidge, or in coins if SMH follows: 1500000
or 1.5SMH; a coin has 1000000000 smidge.`).withTransaction()
	if err := f.parse(args); err != nil {
		return exitError, err
	}
	if len(f.rest) != 2 {
		return exitError, usagef("name an address and an amount")
	}
	amount, err := parseAmount(f.rest[1])
	if err != nil {
		return exitError, usagef("%w", err)
	}
	return f.transact(ctx, e, func(ctx context.Context, node *coins.Client, key signing.WalletKey) (wire.TransactionID, error) {
		to, err := address.Parse(node.HRP, f.rest[0])
		if err != nil {
			return wire.TransactionID{}, fmt.Errorf("%s: %w", f.rest[0], err)
		}
		return node.Send(ctx, key, to, amount, *f.gasPrice)
	})
}

// transact sends what make sends and tells what became of it.
func (f *walletFlags) transact(
	ctx context.Context, e *env, send func(context.Context, *coins.Client, signing.WalletKey) (wire.TransactionID, error),
) (int, error) {
	pair, err := f.pair(e)
	if err != nil {
		return exitError, err
	}
	key, err := pair.Key()
	if err != nil {
		return exitError, err
	}
	calling, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	node, err := coins.Dial(calling, *f.api)
	if err != nil {
		return exitError, err
	}
	defer node.Close()
	id, err := send(calling, node, key)
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "transaction %x\n", id[:])
	if !*f.wait {
		return exitOK, nil
	}
	waiting, stop := context.WithTimeout(ctx, *f.timeout)
	defer stop()
	r, err := node.Wait(waiting, id)
	if err != nil {
		return exitError, err
	}
	if !r.Success {
		fmt.Fprintf(e.stdout, "failed in layer %d: %s; fee %s\n", r.Layer, r.Message, live.Coins(r.Fee))
		return exitDifferent, nil
	}
	fmt.Fprintf(e.stdout, "executed in layer %d, fee %s\n", r.Layer, live.Coins(r.Fee))
	return exitOK, nil
}

// parseAmount reads smidge, or coins with their name.
func parseAmount(text string) (uint64, error) {
	fail := fmt.Errorf("%q is no amount such as 1500000 or 1.5SMH", text)
	if len(text) > 40 {
		return 0, fail
	}
	number, ok := strings.CutSuffix(strings.ToLower(text), "smh")
	if !ok {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return 0, fail
		}
		return n, nil
	}
	number = strings.TrimSpace(number)
	if strings.Trim(number, "0123456789.") != "" {
		return 0, fail
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, fail
	}
	r.Mul(r, big.NewRat(1_000_000_000, 1))
	if !r.IsInt() || r.Num().Cmp(new(big.Int).SetUint64(math.MaxUint64)) > 0 {
		return 0, fail
	}
	return r.Num().Uint64(), nil
}
