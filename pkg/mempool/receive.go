package mempool

import (
	"errors"

	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Source is how a transaction came.
type Source uint8

// Sources of spec 07 §14.
const (
	// Gossip from another node, and submission through the API.
	Gossip Source = iota
	// OwnGossip comes back from the network's topic.
	OwnGossip
	// ForProposal was fetched because a proposal lists it.
	ForProposal
	// ForBlock was fetched because a block lists it.
	ForBlock
)

// Message is a transaction that came.
type Message struct {
	Source Source
	Raw    []byte
	// Expected is the id that was asked for; zero disables the comparison.
	Expected wire.TransactionID
	// Received is when it came, in unix nanoseconds.
	Received int64
	// Stored is what the database has under the transaction's id.
	Stored Stored
	// Verified says that its signatures were found valid against the same
	// accounts before, in a batch.
	Verified bool
}

// Verdict is what a message says about the peer that sent it.
type Verdict uint8

// Verdicts. The zero value is none of them.
const (
	// Accept: relay it, or go on with what asked for it.
	Accept Verdict = iota + 1
	// Ignore: do not relay, blame nobody.
	Ignore
	// Reject: disconnect the peer.
	Reject
)

// Judgement is the verdict on a message and what to do with it.
type Judgement struct {
	Verdict Verdict
	// Reason is the broken rule of a verdict other than Accept, and of a
	// duplicate that is accepted.
	Reason *RuleError
	// Tx is the transaction; its header is only set if Store is WithHeader.
	Tx Tx
	// Store says in which form the transaction is to be stored; Absent is not
	// at all.
	Store Stored
	// pooled says that the pool is to have a say.
	pooled bool
}

// Check judges a message without the pool, so that messages can be checked
// concurrently; Pool.Receive completes the judgement. An error is ours and no
// verdict (spec 07 §14.1, §14.3).
func Check(m *vm.Machine, msg Message, accounts vm.AccountReader) (Judgement, error) {
	if msg.Source == OwnGossip {
		return Judgement{Verdict: Accept}, nil
	}
	id := wire.NewRawTx(msg.Raw).ID
	j := Judgement{Tx: Tx{ID: id, Received: msg.Received}}
	if msg.Source == ForBlock {
		return checkForBlock(m, msg, j, accounts)
	}
	if msg.Stored >= WithHeader {
		if msg.Source == ForProposal {
			return j.decide(Accept, RuleDuplicate, nil), nil
		}
		return j.decide(Ignore, RuleDuplicate, nil), nil
	}
	var tx vm.Transaction
	if err := m.Parse(&tx, msg.Raw, accounts); vm.IsInternal(err) {
		return Judgement{}, err
	} else if err != nil {
		return j.decide(Ignore, RuleParse, err), nil
	}
	switch h := &tx.Header; {
	case isOther(msg, id):
		return j.decide(Reject, RuleHash, nil), nil
	case h.LayerLimits != wire.LayerLimits{}:
		return j.decide(Ignore, RuleLimits, nil), nil
	case h.Fee() == 0: // also where a price other than zero wraps
		return j.decide(Ignore, RuleFee, nil), nil
	case !msg.Verified && !m.Verify(&tx):
		return j.decide(Ignore, RuleSignature, nil), nil
	}
	j.Tx.Header, j.Verdict, j.Store, j.pooled = tx.Header, Accept, WithHeader, true
	return j, nil
}

// isOther tells whether msg is not what was asked for.
func isOther(msg Message, id wire.TransactionID) bool {
	return msg.Expected != wire.TransactionID{} && msg.Expected != id
}

// checkForBlock keeps whatever hashes to the right id: a block may list
// transactions that are not valid, of any length that could be fetched.
func checkForBlock(m *vm.Machine, msg Message, j Judgement, accounts vm.AccountReader) (Judgement, error) {
	j.Verdict = Accept
	if msg.Stored != Absent {
		return j, nil
	}
	if isOther(msg, j.Tx.ID) {
		return j.decide(Reject, RuleHash, nil), nil
	}
	var tx vm.Transaction
	err := m.Parse(&tx, msg.Raw, accounts)
	if vm.IsInternal(err) {
		return Judgement{}, err
	}
	if j.Store = Raw; err == nil && (msg.Verified || m.Verify(&tx)) {
		j.Store, j.Tx.Header = WithHeader, tx.Header
	}
	return j, nil
}

func (j Judgement) decide(v Verdict, rule Rule, cause error) Judgement {
	j.Verdict, j.Reason = v, &RuleError{Rule: rule, Cause: cause}
	return j
}

// Receive completes a judgement with the pool's opinion on nonce and balance.
// An error is ours and no verdict.
func (p *Pool) Receive(j Judgement, accounts vm.AccountReader) (Judgement, error) {
	if !j.pooled {
		return j, nil
	}
	err := p.Add(j.Tx, accounts)
	var rule *RuleError
	if errors.As(err, &rule) {
		j.Store = Absent
		return j.decide(Ignore, rule.Rule, nil), nil
	}
	return j, err
}
