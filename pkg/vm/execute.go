package vm

import (
	"fmt"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// failure is why a method had no effect. It is not an error: the transaction
// pays and its nonce is used. Clients see the text (spec 07 §6.6).
type failure string

const (
	done                   failure = ""
	failOutOfGas           failure = "out of gas"
	failNoBalance          failure = "no balance"
	failAlreadySpawned     failure = "account already spawned"
	failNotSpawned         failure = "account is not spawned"
	failNotOwner           failure = "vault: not an owner"
	failNotAvailable       failure = "vault: amount not available"
	failVaultMisconfigured failure = "vault: account is misconfigured"
)

// staged is a copy of an account that one transaction works on.
type staged struct {
	account wire.Account
	at      int // in the workset
	touched bool
}

// maxStaged is how many accounts besides the principal a transaction can load:
// a drain loads a vault and a destination.
const maxStaged = 2

// execution runs one method on copies, so that a failure leaves no trace.
type execution struct {
	machine   *Machine
	accounts  *workset
	layer     wire.LayerID
	tx        *Transaction
	principal staged
	others    [maxStaged]staged
	loaded    int
	touched   []*staged // in the order of first touch
	moved     uint64    // by transfers so far
}

// begin makes the execution ready for a transaction of principal.
func (e *execution) begin(tx *Transaction, at int) {
	e.tx, e.loaded, e.moved = tx, 0, 0
	e.touched = e.touched[:0]
	e.principal = staged{account: e.accounts.accounts[at], at: at}
}

// load gives the transaction's copy of an account.
func (e *execution) load(at wire.Address) (*staged, error) {
	if at == e.principal.account.Address {
		return &e.principal, nil
	}
	for i := range e.others[:e.loaded] {
		if e.others[i].account.Address == at {
			return &e.others[i], nil
		}
	}
	i, err := e.accounts.at(at)
	if err != nil {
		return nil, err
	}
	s := &e.others[e.loaded]
	e.loaded++
	*s = staged{account: e.accounts.accounts[i], at: i}
	return s, nil
}

// touch records that an account other than the principal changed.
func (e *execution) touch(s *staged) {
	if s != &e.principal && !s.touched {
		s.touched = true
		e.touched = append(e.touched, s)
	}
}

// run executes the transaction's method (spec 07 §6.3–§6.5).
func (e *execution) run() (failure, error) {
	switch tx := e.tx; tx.Header.Method {
	case MethodSpawn:
		return e.spawn()
	case MethodSpend:
		if tx.template == Vault {
			return e.spendVault(&e.principal, &tx.signer.vault, tx.spend)
		}
		return e.transfer(&e.principal, tx.spend, tx.Header.MaxSpend)
	default:
		return e.relay()
	}
}

// spawn is spec 07 §6.5. Coins that the target holds already stay with it.
func (e *execution) spawn() (failure, error) {
	encoded := codec.MustEncode(&e.tx.spawned)
	template := e.tx.Header.TemplateAddress
	target, err := e.load(principalOf(encoded, template))
	if err != nil {
		return done, err
	}
	if target.account.TemplateAddress != nil {
		return failAlreadySpawned, nil
	}
	target.account.TemplateAddress = &template
	target.account.State = encoded
	e.touch(target)
	return done, nil
}

// transfer is spec 07 §6.3. A transfer to oneself passes the checks and then
// touches nothing.
func (e *execution) transfer(from *staged, spend SpendArgs, limit uint64) (failure, error) {
	to, err := e.load(spend.To)
	switch {
	case err != nil:
		return done, err
	case spend.Amount > from.account.Balance:
		return failNoBalance, nil
	case e.moved+spend.Amount > limit:
		return failure(fmt.Sprintf("max spend: %d", limit)), nil
	case from == to:
		return done, nil
	}
	e.moved += spend.Amount
	from.account.Balance -= spend.Amount
	to.account.Balance += spend.Amount
	e.touch(to)
	return done, nil
}

// relay has the principal drain a vault (spec 07 §6.4).
func (e *execution) relay() (failure, error) {
	args := &e.tx.drain
	remote, err := e.load(args.Vault)
	if err != nil {
		return done, err
	}
	if remote.account.TemplateAddress == nil {
		return failNotSpawned, nil
	}
	if want := Vault.Address(); *remote.account.TemplateAddress != want {
		return e.mismatch(want, *remote.account.TemplateAddress), nil
	}
	var vault contract
	if err := vault.load(&remote.account); err != nil {
		return done, err
	}
	why, err := e.spendVault(remote, &vault.vault, args.SpendArgs)
	if err != nil || why != done {
		return why, err
	}
	e.touch(remote)
	return done, nil
}

func (e *execution) mismatch(want, have wire.Address) failure {
	hrp := e.machine.params.HRP
	return failure(fmt.Sprintf("relay template mismatch: %s != %s", address.Text(hrp, want), address.Text(hrp, have)))
}

// spendVault is spec 07 §4.4. What a vault holds beyond its total is free at
// once.
func (e *execution) spendVault(vault *staged, args *VaultArgs, spend SpendArgs) (failure, error) {
	locked := args.Total - args.Vested(e.layer)
	switch balance := vault.account.Balance; {
	case e.principal.account.Address != args.Owner:
		return failNotOwner, nil
	case balance < locked:
		return failVaultMisconfigured, nil
	case spend.Amount > balance-locked:
		return failNotAvailable, nil
	}
	return e.transfer(vault, spend, spend.Amount)
}

// commit writes the principal and what was touched to the workset, and appends
// their addresses to dst.
func (e *execution) commit(dst []wire.Address) []wire.Address {
	e.accounts.update(e.principal.at, &e.principal.account)
	dst = append(dst, e.principal.account.Address)
	for _, s := range e.touched {
		e.accounts.update(s.at, &s.account)
		dst = append(dst, s.account.Address)
	}
	return dst
}
