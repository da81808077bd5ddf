package mempool

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

type handlerCase struct {
	Accounts []struct {
		Address   vectors.Hex    `json:"address"`
		NextNonce vectors.Uint64 `json:"next_nonce"`
		Balance   vectors.Uint64 `json:"balance"`
		Template  vectors.Hex    `json:"template"`
		State     vectors.Hex    `json:"state"`
	} `json:"accounts"`
	Messages []struct {
		Kind       string      `json:"kind"`
		Raw        vectors.Hex `json:"raw"`
		ExpectedID vectors.Hex `json:"expected_id"`
		ID         vectors.Hex `json:"id"`
		Expect     struct {
			Result string `json:"result"`
			Error  string `json:"error"`
			Stored string `json:"stored"`
			Cached bool   `json:"cached"`
		} `json:"expect"`
	} `json:"messages"`
}

// ruleClass is the name that the vectors give to a rule.
func ruleClass(j Judgement) string {
	if j.Reason == nil || j.Verdict == Accept {
		return ""
	}
	return map[Rule]string{
		RuleNonce: "bad_nonce", RuleBalance: "insufficient_balance", RuleDuplicate: "duplicate",
		RuleParse: "parse", RuleFee: "parse", RuleHash: "wrong_hash", RuleSignature: "verify",
	}[j.Reason.Rule]
}

func TestHandlerVectors(t *testing.T) {
	var file struct {
		GenesisID vectors.Hex `json:"genesis_id"`
	}
	vectors.Load(t, "txs/handler", &file)
	machine := vm.New(vm.Params{HRP: "sm"}, signing.NewVerifier(file.GenesisID))
	sources := map[string]Source{"gossip": Gossip, "gossip_own": OwnGossip, "proposal": ForProposal, "block": ForBlock}
	verdicts := map[Verdict]string{Accept: "accept", Ignore: "ignore", Reject: "reject"}
	forms := map[Stored]string{Absent: "absent", Raw: "raw", WithHeader: "header"}
	vectors.Run(t, "txs/handler", func(t *testing.T, c handlerCase) {
		pool, db := NewPool(), newDatabase()
		for _, a := range c.Accounts {
			account := wire.Account{NextNonce: uint64(a.NextNonce), Balance: uint64(a.Balance), State: a.State}
			if a.Template != nil {
				template := wire.Address(a.Template)
				account.TemplateAddress = &template
			}
			db.accounts[wire.Address(a.Address)] = account
		}
		for i, m := range c.Messages {
			require.Contains(t, sources, m.Kind)
			id := wire.NewRawTx(m.Raw).ID
			require.Equal(t, wire.TransactionID(m.ID), id)
			msg := Message{Source: sources[m.Kind], Raw: m.Raw, Received: int64(i), Stored: db.stored(id)}
			if m.ExpectedID != nil {
				msg.Expected = m.ExpectedID.Array32()
			}
			j, err := Check(machine, msg, db)
			require.NoError(t, err)
			j, err = pool.Receive(j, db)
			require.NoError(t, err)
			if j.Store != Absent {
				db.store(j.Tx, j.Store)
			}
			require.Equal(t, m.Expect.Result, verdicts[j.Verdict], "message %d: %v", i, j.Reason)
			require.Equal(t, m.Expect.Error, ruleClass(j), "message %d: %v", i, j.Reason)
			require.Equal(t, m.Expect.Stored, forms[db.stored(id)], "message %d", i)
			require.Equal(t, m.Expect.Cached, pool.Has(id), "message %d", i)
			checkInvariants(t, pool)
		}
	})
}
