package datadir_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
)

func config(t *testing.T, dir string, args ...string) *nodeconfig.Config {
	t.Helper()
	c, _, err := nodeconfig.Resolve(nodeconfig.Input{Preset: "standalone", Optional: true, Args: append([]string{"--data-dir", dir}, args...)})
	require.NoError(t, err)
	return c.Expand(nodeconfig.Machine())
}

var now = time.Date(2030, 5, 6, 7, 8, 9, 10, time.UTC)

func prepare(t *testing.T, dir string, args ...string) *datadir.Dir {
	t.Helper()
	d, err := datadir.Prepare(config(t, dir, args...), now, rand.Reader)
	require.NoError(t, err)
	d.Close()
	return d
}

func TestASecondStartGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := prepare(t, dir, "--identities", "3", "--layers-per-epoch", "12")
	require.True(t, first.New)
	require.Len(t, first.Identities, 3)
	require.Equal(t, now.Add(9*time.Second).Truncate(time.Second).Add(time.Second), first.Config.GenesisTime())
	secrets, err := datadir.OpenWallet(first.Wallet, "")
	require.NoError(t, err)
	account, err := secrets.Accounts[0].Address()
	require.NoError(t, err)
	require.Equal(t, account, first.Coinbase)
	for _, name := range []string{"wallet.json", "network.json", "identities/a.key", "identities/c.key"} {
		st, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.EqualValues(t, 0o600, st.Mode().Perm(), name)
	}

	again := prepare(t, dir)
	require.False(t, again.New)
	require.Equal(t, first.Coinbase, again.Coinbase)
	require.Equal(t, first.Config.GenesisTime(), again.Config.GenesisTime())
	require.EqualValues(t, 12, again.Config.Uint("main.layers-per-epoch"))
	require.Equal(t, first.Identities, again.Identities)
	more := prepare(t, dir, "--identities", "5")
	require.Len(t, more.Identities, 5)

	refused := func(text string, args ...string) {
		t.Helper()
		_, err := datadir.Prepare(config(t, dir, args...), now, rand.Reader)
		require.ErrorContains(t, err, text)
	}
	refused("--identities (smeshery.identities): 4, but", "--identities", "4")
	refused("--layers-per-epoch (main.layers-per-epoch): 13, but", "--layers-per-epoch", "13")
	refused("--preset (preset): ", "--preset", "fastnet")
	require.NoError(t, os.Chmod(filepath.Join(dir, "identities/a.key"), 0o644))
	refused("chmod 600")
}

func TestANewNetworkIsCheckedBeforeAnythingIsWritten(t *testing.T) {
	dir := t.TempDir()
	for text, args := range map[string][]string{
		"--genesis-time (genesis.genesis-time): 2030-05-06T07:08:09Z is in the past": {"--genesis-time", "2030-05-06T07:08:09Z"},
		"is more than 24h0m0s away":           {"--genesis-time", "2031-05-06T07:08:09Z"},
		"--cycle-gap (poet.cycle-gap)":        {"--cycle-gap", "1m"},
		"--identities (smeshery.identities):": {"--identities", "0"},
		"--smeshing-coinbase (smeshing":       {"--coinbase", "sm1qqqqqqz9rf583slhn38g6q6a562ctltv9fv5w8q2gdz9k"},
		"hare terminates later":               {"--layer-duration", "1s", "--layers-per-epoch", "80"},
	} {
		_, err := datadir.Prepare(config(t, dir, args...), now, rand.Reader)
		require.ErrorContains(t, err, text)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1) // the lock
	require.NoError(t, os.WriteFile(filepath.Join(dir, "genesis.json"), []byte("{}"), 0o600))
	_, err = datadir.Prepare(config(t, dir), now, rand.Reader)
	require.ErrorContains(t, err, "belongs to another node or to a replay")
}

func TestOneProcessADirectory(t *testing.T) {
	dir := t.TempDir()
	d, err := datadir.Prepare(config(t, dir), now, rand.Reader)
	require.NoError(t, err)
	defer d.Close()
	_, err = datadir.Prepare(config(t, dir), now, rand.Reader)
	require.ErrorIs(t, err, datadir.ErrInUse)
}

func TestAnInterruptedFirstStart(t *testing.T) {
	dir := t.TempDir()
	first := prepare(t, dir)
	require.NoError(t, os.Remove(filepath.Join(dir, "network.json")))
	again := prepare(t, dir)
	require.True(t, again.New)
	require.Equal(t, first.Coinbase, again.Coinbase)
	require.Equal(t, first.Identities, again.Identities)
}

func TestOwnCoinbaseNeedsNoWallet(t *testing.T) {
	other := prepare(t, t.TempDir())
	coinbase := other.Config.Text("smeshing.smeshing-coinbase")
	d := prepare(t, t.TempDir(), "--coinbase", coinbase)
	require.Equal(t, other.Coinbase, d.Coinbase)
	require.Empty(t, d.Wallet)
	require.NoFileExists(t, d.In(datadir.WalletFile))
	require.Error(t, datadir.SaveWallet(other.Wallet, nil, "", now, rand.Reader), "never overwritten")
}

func TestNamesOfKeyFiles(t *testing.T) {
	for i, want := range map[int]string{0: "a.key", 25: "z.key", 26: "aa.key", 51: "az.key", 52: "ba.key", 701: "zz.key", 702: "aaa.key"} {
		require.Equal(t, want, datadir.Name(i))
	}
}

func TestASeedIsDrawnOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	seeds := make([][]byte, 8)
	var group sync.WaitGroup
	for i := range seeds {
		group.Go(func() { seeds[i], _ = datadir.Seed(dir, rand.Reader) })
	}
	group.Wait()
	require.Len(t, seeds[0], 32)
	for _, s := range seeds {
		require.Equal(t, seeds[0], s)
	}
	st, err := os.Stat(filepath.Join(dir, "seed"))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, st.Mode().Perm())
	other, err := datadir.Seed(t.TempDir(), rand.Reader)
	require.NoError(t, err)
	require.NotEqual(t, seeds[0], other)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "seed"), []byte("abc\n"), 0o600))
	_, err = datadir.Seed(dir, rand.Reader)
	require.ErrorContains(t, err, "remove it, and a new one is drawn")
}
