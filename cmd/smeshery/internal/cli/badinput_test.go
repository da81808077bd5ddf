package cli

import (
	"encoding/hex"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/smeshery/smeshery/pkg/keyfile"
)

// refused runs smeshery standalone, which has to end by itself, and returns what it says.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	said := new(output)
	code := run(t.Context(), &env{stdout: io.Discard, stderr: said}, append([]string{
		"standalone", "--grpc-public-listener", "127.0.0.1:0", "--grpc-private-listener", "127.0.0.1:0",
		"--metrics-listener", "127.0.0.1:0", "--poet-listener", "127.0.0.1:18232",
	}, args...))
	require.Equal(t, exitError, code, "%v: %s", args, said)
	return said.String()
}

// left are the names in a directory, but for the lock.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	for _, e := range entries {
		if e.Name() != "LOCK" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestImpossibleSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	for args, want := range map[string]string{
		"--layer-duration 0s":                       "--layer-duration (main.layer-duration): 0s is no time",
		"--layer-duration 1s --layers-per-epoch 80": "hare terminates later",
		"--layer-duration soon":                     `"--layer-duration" flag`,
		"--layers-per-epoch 0":                      "--layers-per-epoch (main.layers-per-epoch): 0 layers",
		"--layers-per-epoch -3":                     `"--layers-per-epoch" flag`,
		"--layers-per-epoch 2":                      "--eligibility-confidence-param",
		"--layers-per-epoch 4 --cycle-gap 13s":      "--layers-per-epoch (main.layers-per-epoch): the beacon takes 24s, but an epoch of 4 layers of 6s is only 24s",
		"--identities 0":                            "--identities (smeshery.identities): 0 identities",
		"--phase-shift 10h":                         "--phase-shift (poet.phase-shift)",
		"--cycle-gap 1m":                            "--cycle-gap (poet.cycle-gap)",
		"--cycle-gap 9s":                            "--grace-period (poet.grace-period)",
		"--grpc-json-listener nonsense":             "--grpc-json-listener (api.grpc-json-listener)",
		"--metrics-listener 127.0.0.1:99999":        "--metrics-listener (smeshery.metrics-listener): cannot listen",
		"--log-level loud":                          "--log-level (smeshery.log-level)",
		"--log-encoder xml":                         "--log-encoder",
		"--smeshing-opts-numunits 0":                "--smeshing-opts-numunits",
		"--coinbase banana":                         "--smeshing-coinbase",
		"--preset moon":                             "preset moon is not registered",
		"--genesis-time yesterday":                  `"--genesis-time" flag`,
		"--genesis-time 2020-01-01T00:00:00Z":       "--genesis-time (genesis.genesis-time): 2020-01-01T00:00:00Z is in the past",
		"--genesis-time 2999-01-01T00:00:00Z":       "--genesis-time (genesis.genesis-time): 2999-01-01T00:00:00Z is more than 24h0m0s away",
		"--genesis-extra-data=":                     "--genesis-extra-data",
		"--smeshing-start=false":                    "--smeshing-start=false",
		"--database nonsense":                       "--database (smeshery.database)",
		"--nats nonsense":                           "--nats (smeshery.nats)",
		"--target gossip":                           "--target",
		"--config nowhere.json":                     "nowhere.json: no such file",
		"--colour blue":                             "unknown flag: --colour",
	} {
		said := refused(t, append([]string{"--data-dir", dir}, strings.Fields(args)...)...)
		require.Contains(t, said, want, args)
		require.Empty(t, left(t, dir), "%s: nothing is written", args)
	}
	require.Contains(t, refused(t, "--data-dir", "/proc/none"), "--data-dir: ")
}

func TestATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	for _, flag := range []string{"grpc-public-listener", "grpc-private-listener", "grpc-json-listener", "poet-listener", "metrics-listener"} {
		dir := filepath.Join(t.TempDir(), "net")
		said := refused(t, "--data-dir", dir, "--"+flag, l.Addr().String())
		require.Contains(t, said, "--"+flag)
		require.Contains(t, said, "address already in use; name another address")
		require.Empty(t, left(t, dir), "no network begins")
	}
}

func TestADirectoryOfOthers(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "genesis.json"), []byte("{}"), 0o600))
	require.Contains(t, refused(t, "--data-dir", dir), "belongs to another node or to a replay")
	require.Equal(t, []string{"genesis.json"}, left(t, dir))

	dir = filepath.Join(t.TempDir(), "net")
	keys := filepath.Join(dir, "identities")
	require.NoError(t, os.MkdirAll(keys, 0o700))
	exposed := filepath.Join(keys, "a.key")
	require.NoError(t, os.WriteFile(exposed, []byte(strings.Repeat("ab", 64)), 0o644)) //nolint:gosec // that is the fault
	said := refused(t, "--data-dir", dir)
	require.Contains(t, said, exposed)
	require.Contains(t, said, "chmod 600")
	require.Equal(t, []string{"identities"}, left(t, dir))
}

// A disk that is full or read-only is told at the start; once that is mended the same
// command has the same keys.
func TestADiskWithoutRoom(t *testing.T) {
	disk := place(t)
	require.NoError(t, os.Mkdir(disk, 0o711))
	require.NoError(t, unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m,mode=711"), "mounting needs root")
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	dir := filepath.Join(disk, "net")
	said := refused(t, "--data-dir", dir)
	require.Contains(t, said, "the disk has too little room for a database in "+dir)
	key, err := os.ReadFile(filepath.Join(dir, "identities", "a.key"))
	require.NoError(t, err)

	require.NoError(t, unix.Mount("", disk, "", unix.MS_REMOUNT, "size=40m"))
	require.Regexp(t, "the disk has too little room for (a database|streams) in "+dir, refused(t, "--data-dir", dir))

	require.NoError(t, unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	require.Contains(t, refused(t, "--data-dir", dir), "--data-dir: open "+filepath.Join(dir, "LOCK")+": read-only file system")
	require.NoError(t, unix.Mount("", disk, "", unix.MS_REMOUNT, "size=4g"))
	out, stop := start(t, "standalone", "--data-dir", dir, "--grpc-public-listener", "127.0.0.1:0", "--grpc-private-listener", "127.0.0.1:0",
		"--metrics-listener", "127.0.0.1:0", "--poet-listener", "127.0.0.1:18232")
	await(t, out, `identity a [0-9a-f]{8}: `)
	require.Contains(t, out.String(), "goes on, genesis")
	require.Zero(t, stop(), out)
	again, err := os.ReadFile(filepath.Join(dir, "identities", "a.key"))
	require.NoError(t, err)
	require.Equal(t, key, again)
}

// A database of another network is left alone, and so is data of another identity, of
// which the live view tells.
func TestWhatBelongsToOthers(t *testing.T) {
	ports := func(poet string) []string {
		return []string{
			"standalone", "--grpc-public-listener", "127.0.0.1:0", "--grpc-private-listener", "127.0.0.1:0",
			"--metrics-listener", "127.0.0.1:0", "--poet-listener", poet,
		}
	}
	theirs, ours := place(t), place(t)
	out, stop := start(t, append(ports("127.0.0.1:18233"), "--data-dir", theirs)...)
	await(t, out, `identity a [0-9a-f]{8}: waiting for registration`)
	database := "host=" + filepath.Join(theirs, "postgres", "run") + " user=smeshery dbname=smeshery"
	said := refused(t, "--data-dir", ours, "--genesis-extra-data", "ours", "--database", database)
	require.Contains(t, said, "--database: the database belongs to another network: it has genesis id")
	require.Zero(t, stop(), out)

	ids, err := keyfile.Load(filepath.Join(theirs, "identities"))
	require.NoError(t, err)
	own, err := keyfile.Load(filepath.Join(ours, "identities"))
	require.NoError(t, err)
	dir := func(base string, id keyfile.Identity) string {
		node := id.Key.NodeID()
		return filepath.Join(base, "post", hex.EncodeToString(node[:]))
	}
	require.NoError(t, os.CopyFS(dir(ours, own[0]), os.DirFS(dir(theirs, ids[0]))))
	before, err := os.ReadFile(filepath.Join(dir(ours, own[0]), "postdata_metadata.json"))
	require.NoError(t, err)
	out, stop = start(t, append(ports("127.0.0.1:18233"), "--data-dir", ours)...)
	await(t, out, `identity a [0-9a-f]{8}: initialising \(.*the data belongs to another identity`)
	require.Zero(t, stop(), out)
	after, err := os.ReadFile(filepath.Join(dir(ours, own[0]), "postdata_metadata.json"))
	require.NoError(t, err)
	require.Equal(t, before, after)
}
