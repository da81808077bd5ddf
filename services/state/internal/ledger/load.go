package ledger

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/vm/executor"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// chunk is how many transactions are loaded and judged together.
const chunk = 4096

// input is everything a block refers to: an executor.Reader.
type input struct {
	Accounts
	ids   []wire.TransactionID
	txs   []executor.StoredTx // parallel to ids
	had   []bool              // parallel to ids: stored with a header
	epoch wire.EpochID
	atxs  map[wire.ATXID]executor.Beneficiary
}

// Transactions are those of the block, for which the input was made.
func (in *input) Transactions([]wire.TransactionID) ([]executor.StoredTx, error) { return in.txs, nil }

// Beneficiaries are who the rewards go to.
func (in *input) Beneficiaries(_ wire.EpochID, ids []wire.ATXID) ([]executor.Beneficiary, error) {
	out := make([]executor.Beneficiary, len(ids))
	for i, id := range ids {
		out[i] = in.atxs[id]
	}
	return out, nil
}

// load reads what a block refers to, and checks the signatures that were not
// checked at reception, over all cores.
func (l *Ledger) load(ctx context.Context, block *wire.InnerBlock) (*input, error) {
	in := &input{
		ids:   block.TxIDs,
		txs:   make([]executor.StoredTx, len(block.TxIDs)),
		had:   make([]bool, len(block.TxIDs)),
		epoch: block.LayerIndex.Epoch(l.layersPerEpoch),
	}
	in.known = make(map[wire.Address]wire.Account, 2*len(block.TxIDs)+16)
	in.read = func(address wire.Address) (wire.Account, error) {
		one := make(map[wire.Address]wire.Account, 1)
		err := l.readAccounts(ctx, []wire.Address{address}, one)
		return one[address], err
	}
	if err := l.loadBeneficiaries(ctx, in, block.Rewards); err != nil {
		return nil, err
	}
	var mu sync.Mutex // of in.known
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * l.cores) // half of them wait for the database
	for start := 0; start < len(in.ids); start += chunk {
		end := min(start+chunk, len(in.ids))
		group.Go(func() error {
			accounts, err := l.loadChunk(ctx, in, start, end)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for address, account := range accounts.known {
				in.known[address] = account
			}
			return nil
		})
	}
	return in, group.Wait()
}

// loadChunk reads some of the transactions and returns the accounts that they
// need.
func (l *Ledger) loadChunk(ctx context.Context, in *input, start, end int) (*Accounts, error) {
	ids, txs := in.ids[start:end], in.txs[start:end]
	if err := db.LoadTransactions(ctx, l.db, ids, txs); err != nil {
		return nil, err
	}
	addresses := make([]wire.Address, 0, 2*len(ids))
	unverified := make([]vm.Tx, 0, len(ids))
	places := make([]int, 0, len(ids))
	for i := range txs {
		if txs[i].Raw == nil || txs[i].Applied {
			continue
		}
		addresses = vm.AppendReads(addresses, txs[i].Raw)
		in.had[start+i] = txs[i].Verified
		if !txs[i].Verified {
			unverified = append(unverified, vm.Tx{ID: ids[i], Raw: txs[i].Raw})
			places = append(places, i)
		}
	}
	accounts, err := l.Accounts(ctx, addresses)
	if err != nil {
		return nil, err
	}
	if err := l.machine.Preverify(unverified, accounts); err != nil {
		return nil, err
	}
	for i, place := range places {
		txs[place].Verified = unverified[i].Verified
	}
	return accounts, nil
}

// loadBeneficiaries reads who the rewards of a block go to, and their accounts.
func (l *Ledger) loadBeneficiaries(ctx context.Context, in *input, shares []wire.AnyReward) error {
	ids := make([]wire.ATXID, len(shares))
	for i := range shares {
		ids[i] = shares[i].AtxID
	}
	found, err := activation.ATXsByID(ctx, l.db, ids)
	if err != nil {
		return fmt.Errorf("rewards: %w", err)
	}
	in.atxs = make(map[wire.ATXID]executor.Beneficiary, len(found))
	coinbases := make([]wire.Address, 0, len(found))
	for i := range found {
		if found[i].TargetEpoch() != in.epoch {
			continue
		}
		in.atxs[found[i].ID] = executor.Beneficiary{Known: true, Smesher: found[i].Node, Coinbase: found[i].Coinbase}
		coinbases = append(coinbases, found[i].Coinbase)
	}
	return l.readAccounts(ctx, coinbases, in.known)
}
