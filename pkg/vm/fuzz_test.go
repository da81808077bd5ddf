package vm_test

import (
	"encoding/json"
	"testing"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// FuzzParse parses and applies arbitrary bytes against every account of the
// vectors. Nothing may panic, be charged to us, or differ between two readings.
func FuzzParse(f *testing.F) {
	var file vectors.File
	vectors.Load(f, "vm/tx_parse", &file)
	accounts := ledger{}
	for _, raw := range file.Cases {
		var c parsedJSON
		if err := json.Unmarshal(raw, &c); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(c.Raw))
		if c.Error == "internal" {
			continue
		}
		for _, a := range c.Accounts {
			if account := a.account(); account.TemplateAddress != nil {
				accounts[account.Address] = account
			}
		}
	}
	m := benchMachine()
	f.Fuzz(func(t *testing.T, raw []byte) {
		var tx, again vm.Transaction
		err := m.Parse(&tx, raw, accounts)
		if vm.IsInternal(err) {
			t.Fatal(err)
		}
		if second := m.Parse(&again, raw, accounts); (err == nil) != (second == nil) {
			t.Fatal(err, second)
		}
		applied, applyErr := m.Apply(vm.Input{Layer: 9, Txs: []vm.Tx{{Raw: raw, Verified: true}}}, accounts)
		if applyErr != nil || len(applied.Executed)+len(applied.Ineffective) != 1 {
			t.Fatal(applyErr)
		}
		vm.AppendReads(nil, raw)
		if err != nil {
			return
		}
		m.Verify(&tx)
		codec.MustEncode(tx.Args())
		if tx.Header != again.Header || tx.Header.Principal != wire.Address(raw[1:25]) {
			t.Fatal("two readings differ")
		}
	})
}
