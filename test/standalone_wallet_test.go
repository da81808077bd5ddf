package test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/rewards"
)

// TestCoins uses a network the way somebody with a wallet does: the account that is
// rewarded is spawned and pays another one. Balances are compared to the smidge.
func TestCoins(t *testing.T) {
	s := newStandalone(t, "--identities", "3")
	w := newWallets(t)
	w.refuse(w.create, "is there already")
	s.start()
	w.data, w.api = s.dir, publicAPI(s)
	names := s.checkIdentities()

	s.reach(quickFirst + 1)
	require.Eventually(t, func() bool { return len(s.rewards(quickFirst, quickFirst+50)) > 0 }, time.Minute, 100*time.Millisecond)
	payer := strings.TrimSpace(s.cli("wallet", "address", "--data-dir", s.dir))
	payee := strings.TrimSpace(s.cli("wallet", "address", "--file", w.file, "--password-file", w.password, "--account", "1", "--hrp", "standalone"))
	require.NotEqual(t, payer, payee)
	w.refuse([]string{"wallet", "send", payee, "1", "--data-dir", s.dir, "--api", w.api}, "has to be spawned first")

	const amount, price = 1_234_567_891, 3
	spawn := w.transact("spawn")
	send := w.transact("send", payee, strconv.Itoa(amount), "--gas-price", strconv.Itoa(price))
	spawned, sent := s.transaction(spawn), s.transaction(send)
	spawned.check(t, s, payer, 1)
	sent.check(t, s, payer, price)
	require.Equal(t, "TRANSACTION_TYPE_SINGLE_SIG_SPAWN", spawned.Tx.Type)
	require.Equal(t, number(amount), sent.Tx.Contents.Send.Amount)
	require.Equal(t, payee, sent.Tx.Contents.Send.Destination)
	require.Contains(t, sent.Result.Addresses, payee)
	require.Less(t, spawned.Result.Layer, sent.Result.Layer)

	s.checkBalance(payer, &spawned, &sent, amount)
	require.Equal(t, number(amount), s.account(payee).Current.Balance)
	require.Regexp(t, payee+` +1\.234567891 SMH +1\.234567891 SMH +no`, s.cli("wallet", "balance", payee, "--api", w.api))
	require.Regexp(t, payer+` .* yes`, s.cli("wallet", "balance", "--data-dir", s.dir, "--api", w.api))
	w.refuse([]string{"wallet", "spawn", "--data-dir", s.dir, "--api", w.api}, "spawned already")
	w.refuse([]string{"wallet", "send", payee, "1000000000SMH", "--data-dir", s.dir, "--api", w.api}, "the account has")

	s.checkExport(names[1])
}

// checkExport moves an identity away and back. While it is away the others go on, and
// nothing is signed for it.
func (s *standalone) checkExport(name string) {
	s.t.Helper()
	dir := s.t.TempDir()
	export := func(file string) []string {
		return []string{"identity", "export", name, filepath.Join(dir, file), "--data-dir", s.dir}
	}
	s.refuse(export("running.json"), "a running node has to stop first")
	require.NoFileExists(s.t, filepath.Join(dir, "running.json"))
	require.Less(s.t, s.interrupt(), 5*time.Second)

	s.cli(export("first.json")...)
	before := readRecords(s.t, filepath.Join(dir, "first.json"))
	require.True(s.t, before.signed("ballot"))
	require.True(s.t, before.signed("atx"))
	s.refuse(export("first.json"), "file exists")
	s.start()
	began := s.status().Current
	require.Eventually(s.t, func() bool {
		for _, r := range s.rewards(began+1, began+100) {
			require.NotEqual(s.t, before.Identity, hex.EncodeToString(r.Smesher), "layer %d", r.Layer)
			return true
		}
		return false
	}, 2*time.Minute, 200*time.Millisecond)
	require.Less(s.t, s.interrupt(), 5*time.Second)

	s.cli(export("second.json")...)
	require.Equal(s.t, before.Signed, readRecords(s.t, filepath.Join(dir, "second.json")).Signed)
	for range 2 {
		require.Contains(s.t, s.cli("identity", "import", filepath.Join(dir, "first.json"), "--data-dir", s.dir), before.Identity)
	}
	s.cli(export("third.json")...)
	require.Equal(s.t, before.Signed, readRecords(s.t, filepath.Join(dir, "third.json")).Signed, "an import adds, it replaces nothing")
}

// records are what an identity signed, as export writes it.
type records struct {
	Identity string           `json:"identity"`
	Signed   []map[string]any `json:"signed"`
}

func (r *records) signed(kind string) bool {
	for _, slot := range r.Signed {
		if slot["kind"] == kind {
			return true
		}
	}
	return false
}

func readRecords(t *testing.T, path string) (r records) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &r))
	return r
}

// checkIdentities lists the identities of a directory that is in use.
func (s *standalone) checkIdentities() (names []string) {
	s.t.Helper()
	var list []struct{ Name, ID string }
	require.NoError(s.t, json.Unmarshal([]byte(s.cli("identity", "list", "--json", "--data-dir", s.dir)), &list))
	require.Len(s.t, list, 3)
	text := s.cli("identity", "list", "--data-dir", s.dir)
	for _, k := range list {
		require.Contains(s.t, text, k.ID)
		require.Contains(s.t, s.cli("identity", "info", k.Name, "--data-dir", s.dir), k.ID)
		names = append(names, k.Name)
	}
	return names
}

// cli runs a command that has to succeed, and returns what it prints.
func (s *standalone) cli(args ...string) string {
	s.t.Helper()
	cmd := smeshery(s.t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(s.t, cmd.Run(), "%v:\n%s%s", args, out.String(), errs.String())
	return out.String()
}

// refuse runs a command that has to say why it cannot be done.
func (s *standalone) refuse(args []string, why string) {
	s.t.Helper()
	refuse(s.t, args, why)
}

func refuse(t *testing.T, args []string, why string) {
	t.Helper()
	cmd := smeshery(t, args...)
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 2, cmd.ProcessState.ExitCode(), "%s", out)
	require.Contains(t, string(out), why)
}

var publicAddress = regexp.MustCompile(`public (127\.0\.0\.1:\d+)`)

func publicAPI(s *standalone) string {
	s.t.Helper()
	m := publicAddress.FindStringSubmatch(s.out.String())
	require.NotNil(s.t, m)
	return m[1]
}

// wallets are the one of the data directory and another one, with a password.
type wallets struct {
	t              *testing.T
	file, password string
	create         []string // the command that made the second one
	data, api      string   // of the network
}

func newWallets(t *testing.T) *wallets {
	t.Helper()
	dir := t.TempDir()
	w := &wallets{t: t, file: filepath.Join(dir, "other.json"), password: filepath.Join(dir, "password")}
	require.NoError(t, os.WriteFile(w.password, []byte("correct horse\n"), 0o600))
	w.create = []string{"wallet", "create", "2", "--file", w.file, "--password-file", w.password}
	out, err := smeshery(t, w.create...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	st, err := os.Stat(w.file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	return w
}

func (w *wallets) refuse(args []string, why string) {
	w.t.Helper()
	refuse(w.t, args, why)
}

var transacted = regexp.MustCompile(`^transaction ([0-9a-f]{64})\nexecuted in layer \d+, fee 0\.\d+ SMH\n$`)

// transact sends a transaction of the rewarded account and waits for its layer.
func (w *wallets) transact(args ...string) []byte {
	w.t.Helper()
	args = append(append([]string{"wallet"}, args...), "--wait", "--timeout", "1m", "--data-dir", w.data, "--api", w.api)
	out, err := smeshery(w.t, args...).CombinedOutput()
	require.NoError(w.t, err, "%v: %s", args, out)
	m := transacted.FindSubmatch(out)
	require.NotNil(w.t, m, "%s", out)
	id, err := hex.DecodeString(string(m[1]))
	require.NoError(w.t, err)
	return id
}

// transaction is one as TransactionService lists it.
type transaction struct {
	Tx struct {
		ID        []byte `json:"id"`
		Principal string `json:"principal"`
		MaxGas    number `json:"maxGas"`
		GasPrice  number `json:"gasPrice"`
		Type      string `json:"type"`
		Contents  struct {
			Send struct {
				Destination string `json:"destination"`
				Amount      number `json:"amount"`
			} `json:"send"`
		} `json:"contents"`
	} `json:"tx"`
	State  string `json:"txState"`
	Result struct {
		Status    string   `json:"status"`
		Gas       number   `json:"gasConsumed"`
		Fee       number   `json:"fee"`
		Block     []byte   `json:"block"`
		Layer     uint32   `json:"layer"`
		Addresses []string `json:"touchedAddresses"`
	} `json:"txResult"`
}

func (s *standalone) transaction(id []byte) transaction {
	s.t.Helper()
	var list struct{ Transactions []transaction }
	s.ask("TransactionService/List", map[string]any{"txid": [][]byte{id}, "includeState": true, "includeResult": true, "limit": 1}, &list)
	require.Len(s.t, list.Transactions, 1)
	require.Equal(s.t, id, list.Transactions[0].Tx.ID)
	return list.Transactions[0]
}

// check wants it executed in the block of its layer, where it is listed, too.
func (x *transaction) check(t *testing.T, s *standalone, principal string, price uint64) {
	t.Helper()
	require.Equal(t, "TRANSACTION_STATE_PROCESSED", x.State)
	require.Equal(t, "TRANSACTION_STATUS_SUCCESS", x.Result.Status)
	require.Equal(t, principal, x.Tx.Principal)
	require.Equal(t, number(price), x.Tx.GasPrice)
	require.NotZero(t, x.Result.Gas)
	require.LessOrEqual(t, x.Result.Gas, x.Tx.MaxGas)
	require.Equal(t, x.Result.Gas*number(price), x.Result.Fee)
	require.Contains(t, x.Result.Addresses, principal)
	in := s.layers(x.Result.Layer, x.Result.Layer)
	require.Len(t, in, 1)
	require.True(t, in[0].hasBlock())
	require.Equal(t, in[0].Block.ID, x.Result.Block)
	var list struct{ Transactions []transaction }
	s.ask("TransactionService/List", map[string]any{"startLayer": x.Result.Layer, "endLayer": x.Result.Layer, "includeResult": true, "limit": 100}, &list)
	require.Len(t, list.Transactions, 1)
	require.Equal(t, x.Tx.ID, list.Transactions[0].Tx.ID)
	// The fee goes to those who are rewarded, but for what rounding leaves.
	paid, count := uint64(0), uint64(0)
	for _, r := range s.rewards(x.Result.Layer, x.Result.Layer) {
		paid += uint64(r.Total)
		count++
	}
	all := rewards.NewSchedule().Subsidy(x.Result.Layer-quickFirst+1) + uint64(x.Result.Fee)
	require.LessOrEqual(t, paid, all)
	require.Less(t, all-paid, count)
}

// account is one as AccountService lists it.
type account struct {
	Current struct {
		Counter number `json:"counter"`
		Balance number `json:"balance"`
		Layer   uint32 `json:"layer"`
	} `json:"current"`
}

func (s *standalone) account(address string) account {
	s.t.Helper()
	var list struct{ Accounts []account }
	s.ask("AccountService/List", map[string]any{"addresses": []string{address}, "limit": 1}, &list)
	require.Len(s.t, list.Accounts, 1)
	return list.Accounts[0]
}

// checkBalance compares what the rewarded account has with what it got and paid up to
// the layer of its last change.
func (s *standalone) checkBalance(address string, spawned, sent *transaction, amount number) {
	s.t.Helper()
	a := s.account(address)
	require.GreaterOrEqual(s.t, a.Current.Layer, sent.Result.Layer)
	var earned number
	for _, r := range s.rewards(0, a.Current.Layer) {
		require.Equal(s.t, address, r.Coinbase)
		earned += r.Total
	}
	require.Equal(s.t, number(2), a.Current.Counter)
	require.Equal(s.t, fmt.Sprint(earned-spawned.Result.Fee-sent.Result.Fee-amount), fmt.Sprint(a.Current.Balance))
}
