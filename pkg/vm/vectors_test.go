package vm_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

type accountJSON struct {
	Layer     wire.LayerID   `json:"layer"`
	Address   vectors.Hex    `json:"address"`
	NextNonce vectors.Uint64 `json:"next_nonce"`
	Balance   vectors.Uint64 `json:"balance"`
	Template  vectors.Hex    `json:"template"`
	State     vectors.Hex    `json:"state"`
}

func (a accountJSON) account() wire.Account {
	out := wire.Account{
		Layer:     a.Layer,
		Address:   wire.Address(a.Address),
		NextNonce: uint64(a.NextNonce),
		Balance:   uint64(a.Balance),
	}
	if a.Template != nil {
		template := wire.Address(a.Template)
		out.TemplateAddress = &template
	}
	if len(a.State) > 0 {
		out.State = a.State
	}
	return out
}

// ledger is accounts by address; missing ones read as empty.
type ledger map[wire.Address]wire.Account

func newLedger(accounts []accountJSON) ledger {
	l := ledger{}
	for _, a := range accounts {
		l[wire.Address(a.Address)] = a.account()
	}
	return l
}

func (l ledger) Account(a wire.Address) (wire.Account, error) {
	account, ok := l[a]
	if !ok {
		account.Address = a
	}
	return account, nil
}

type headerJSON struct {
	Principal vectors.Hex    `json:"principal"`
	Template  vectors.Hex    `json:"template"`
	Method    uint8          `json:"method"`
	Nonce     vectors.Uint64 `json:"nonce"`
	LayerMin  uint32         `json:"layer_min"`
	LayerMax  uint32         `json:"layer_max"`
	MaxGas    vectors.Uint64 `json:"max_gas"`
	GasPrice  vectors.Uint64 `json:"gas_price"`
	MaxSpend  vectors.Uint64 `json:"max_spend"`
	Fee       vectors.Uint64 `json:"fee"`
	Spending  vectors.Uint64 `json:"spending"`
}

func (h headerJSON) header() wire.TxHeader {
	return wire.TxHeader{
		Principal:       wire.Address(h.Principal),
		TemplateAddress: wire.Address(h.Template),
		Method:          h.Method,
		Nonce:           uint64(h.Nonce),
		LayerLimits:     wire.LayerLimits{Min: h.LayerMin, Max: h.LayerMax},
		MaxGas:          uint64(h.MaxGas),
		GasPrice:        uint64(h.GasPrice),
		MaxSpend:        uint64(h.MaxSpend),
	}
}

// parsedJSON is what both parse files expect of raw bytes.
type parsedJSON struct {
	Raw       vectors.Hex    `json:"raw"`
	Accounts  []accountJSON  `json:"accounts"`
	ID        vectors.Hex    `json:"id"`
	Error     string         `json:"error"`
	Header    headerJSON     `json:"header"`
	Args      vectors.Hex    `json:"args"`
	Base      vectors.Uint64 `json:"base_gas"`
	Fixed     vectors.Uint64 `json:"fixed_gas"`
	Intrinsic vectors.Uint64 `json:"intrinsic_gas"`
	Verify    bool           `json:"verify"`
}

// errorClass is the name that the vectors give to an error.
func errorClass(err error) string {
	if err == nil {
		return ""
	}
	if vm.IsInternal(err) {
		return "internal"
	}
	var rule *vm.RuleError
	if !errors.As(err, &rule) {
		return err.Error()
	}
	return map[vm.Rule]string{
		vm.RuleSize:       "tx_limit",
		vm.RuleMalformed:  "malformed",
		vm.RuleNotSpawned: "not_spawned",
		vm.RuleArguments:  "invalid_args",
	}[rule.Rule]
}

func machine(genesisID vectors.Hex) *vm.Machine {
	return vm.New(vm.Params{HRP: "sm"}, signing.NewVerifier(genesisID))
}

func checkParse(t *testing.T, m *vm.Machine, c parsedJSON) {
	require.Equal(t, wire.TransactionID(c.ID), wire.NewRawTx(c.Raw).ID)
	var tx vm.Transaction
	err := m.Parse(&tx, c.Raw, newLedger(c.Accounts))
	require.Equal(t, c.Error, errorClass(err), "%v", err)
	preverified := []vm.Tx{{Raw: c.Raw}}
	require.Equal(t, c.Error, errorClass(m.Preverify(preverified, newLedger(c.Accounts)))+classUnlessInternal(c.Error))
	require.Equal(t, err == nil && c.Verify, preverified[0].Verified)
	if err != nil {
		return
	}
	require.Equal(t, c.Header.header(), tx.Header)
	require.Equal(t, uint64(c.Header.Fee), tx.Header.Fee())
	require.Equal(t, uint64(c.Header.Spending), vm.Spending(&tx.Header))
	require.Equal(t, uint64(c.Base), tx.Base)
	require.Equal(t, uint64(c.Fixed), tx.Fixed)
	require.Equal(t, uint64(c.Intrinsic), tx.Intrinsic)
	require.Equal(t, c.Args.String(), hex.EncodeToString(codec.MustEncode(tx.Args())))
	require.Equal(t, c.Verify, m.Verify(&tx))
}

// classUnlessInternal is what Preverify leaves out: it reports only our errors.
func classUnlessInternal(class string) string {
	if class == "internal" {
		return ""
	}
	return class
}

func TestParseVectors(t *testing.T) {
	var file struct {
		GenesisID vectors.Hex `json:"genesis_id"`
	}
	vectors.Load(t, "vm/tx_parse", &file)
	m := machine(file.GenesisID)
	vectors.Run(t, "vm/tx_parse", func(t *testing.T, c parsedJSON) { checkParse(t, m, c) })
}

func TestGasVectors(t *testing.T) {
	type gasCase struct {
		Kind     string         `json:"kind"`
		Size     int            `json:"size"`
		Gas      vectors.Uint64 `json:"gas"`
		Template string         `json:"template"`
		Method   uint8          `json:"method"`
		Required int            `json:"required"`
		Keys     int            `json:"keys"`
		Base     vectors.Uint64 `json:"base"`
		Load     vectors.Uint64 `json:"load"`
		Exec     vectors.Uint64 `json:"exec"`
	}
	templates := map[string]vm.Template{}
	for _, template := range []vm.Template{vm.Wallet, vm.Multisig, vm.Vesting, vm.Vault} {
		templates[template.String()] = template
	}
	vectors.Run(t, "vm/gas", func(t *testing.T, c gasCase) {
		switch c.Kind {
		case "txdata":
			require.Equal(t, uint64(c.Gas), vm.DataGas(c.Size))
		case "template":
			require.Contains(t, templates, c.Template)
			want := vm.Gas{Base: uint64(c.Base), Load: uint64(c.Load), Exec: uint64(c.Exec)}
			require.Equal(t, want, vm.GasOf(templates[c.Template], c.Method, c.Required, c.Keys))
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func TestVestingVectors(t *testing.T) {
	type vestingCase struct {
		Kind          string         `json:"kind"`
		Layer         wire.LayerID   `json:"layer"`
		Total         vectors.Uint64 `json:"total"`
		Initial       vectors.Uint64 `json:"initial"`
		Start         wire.LayerID   `json:"start"`
		End           wire.LayerID   `json:"end"`
		Vested        vectors.Uint64 `json:"vested"`
		Accumulated   vectors.Uint64 `json:"accumulated"`
		VestedInLayer vectors.Uint64 `json:"vested_in_layer"`
	}
	vectors.Run(t, "vm/vesting", func(t *testing.T, c vestingCase) {
		switch c.Kind {
		case "vault":
			vault := vm.VaultArgs{Total: uint64(c.Total), Initial: uint64(c.Initial), Start: c.Start, End: c.End}
			require.Equal(t, uint64(c.Vested), vault.Vested(c.Layer))
		case "network":
			require.Equal(t, uint64(c.Accumulated), vm.NetworkVested(c.Layer))
			require.Equal(t, uint64(c.VestedInLayer), vm.NetworkVestedIn(c.Layer))
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func TestAddressVectors(t *testing.T) {
	type addressCase struct {
		Kind       string         `json:"kind"`
		Template   vectors.Hex    `json:"template"`
		Args       vectors.Hex    `json:"args"`
		PublicKey  vectors.Hex    `json:"public_key"`
		PublicKeys []vectors.Hex  `json:"public_keys"`
		Required   uint8          `json:"required"`
		Owner      vectors.Hex    `json:"owner"`
		Total      vectors.Uint64 `json:"total"`
		Initial    vectors.Uint64 `json:"initial"`
		Start      wire.LayerID   `json:"start"`
		End        wire.LayerID   `json:"end"`
		Address    vectors.Hex    `json:"address"`
		SM         string         `json:"bech32_sm"`
		STest      string         `json:"bech32_stest"`
		Standalone string         `json:"bech32_standalone"`
		Input      string         `json:"input"`
		IsEmpty    bool           `json:"is_empty"`
		HRP        string         `json:"hrp"`
		OK         bool           `json:"ok"`
		Error      string         `json:"error"`
	}
	args := func(c addressCase) codec.Coded {
		switch vm.Template(c.Template[23]) {
		case vm.Wallet:
			return &vm.WalletArgs{PublicKey: c.PublicKey.Array32()}
		case vm.Vault:
			return &vm.VaultArgs{
				Owner: wire.Address(c.Owner), Total: uint64(c.Total), Initial: uint64(c.Initial), Start: c.Start, End: c.End,
			}
		}
		return &vm.MultisigArgs{Required: c.Required, Keys: nodeIDs(c.PublicKeys)}
	}
	parseErrors := map[string]error{
		"bech32": address.ErrBech32, "length": address.ErrLength, "network": address.ErrNetwork, "reserved": address.ErrReserved,
	}
	vectors.Run(t, "vm/addresses", func(t *testing.T, c addressCase) {
		switch c.Kind {
		case "principal":
			template, ok := vm.TemplateAt(wire.Address(c.Template))
			require.True(t, ok)
			a := vm.Principal(template, args(c))
			require.Equal(t, wire.Address(c.Address), a)
			require.Equal(t, c.Args.String(), hex.EncodeToString(codec.MustEncode(args(c))))
			require.Equal(t, c.SM, address.Text("sm", a))
			require.Equal(t, c.STest, address.Text("stest", a))
			require.Equal(t, c.Standalone, address.Text("standalone", a))
		case "generate":
			input, err := hex.DecodeString(c.Input)
			require.NoError(t, err)
			a := address.Generate(input)
			require.Equal(t, wire.Address(c.Address), a)
			require.Equal(t, c.SM, address.Text("sm", a))
			require.Equal(t, c.IsEmpty, address.IsEmpty(a))
		case "parse":
			a, err := address.Parse(c.HRP, c.Input)
			require.Equal(t, c.OK, err == nil)
			require.ErrorIs(t, err, parseErrors[c.Error])
			if c.OK {
				require.Equal(t, wire.Address(c.Address), a)
			}
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func nodeIDs(keys []vectors.Hex) []wire.NodeID {
	var out []wire.NodeID
	for _, key := range keys {
		out = append(out, key.Array32())
	}
	return out
}
