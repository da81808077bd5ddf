package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wallet"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Names in a data directory.
const (
	NetworkFile = "network.json"
	genesisFile = "genesis.json"
	WalletFile  = "wallet.json"
	LogFile     = "smeshery.log"
	lockFile    = "LOCK"
)

// How far ahead the genesis of a new network is, by itself and at most.
const (
	genesisLead = 10 * time.Second
	genesisMost = 24 * time.Hour
)

// ErrInUse says that another process has the directory.
var ErrInUse = errors.New("another smeshery uses the data directory")

// Dir is a directory that was prepared. It is locked until Close.
type Dir struct {
	Path string
	// Config is complete: the network, the coinbase and the number of identities.
	Config     *nodeconfig.Config
	Identities []keyfile.Identity
	Coinbase   wire.Address
	// New says that the network begins with this start.
	New bool
	// Wallet is the file of the coinbase, if it is one of this directory.
	Wallet string

	lock *os.File
}

// In returns a path in the directory.
func (d *Dir) In(name string) string { return filepath.Join(d.Path, name) }

// Close lets others have the directory.
func (d *Dir) Close() {
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

// preparation is what a Dir is made with.
type preparation struct {
	*Dir
	now    time.Time
	random io.Reader
	// secrets of a wallet that is to be written.
	secrets *wallet.Secrets
	// more finds further faults, such as ports that are taken.
	more []func(*nodeconfig.Config) error
	// fresh are keys that are to be written.
	fresh []keyfile.Identity
}

// Prepare opens the directory that a configuration names, or makes it. What is
// wrong with the settings is told as nodeconfig.Problems. more looks at the complete
// settings before anything is written.
func Prepare(cfg *nodeconfig.Config, now time.Time, random io.Reader, more ...func(*nodeconfig.Config) error) (_ *Dir, err error) {
	path, err := filepath.Abs(cfg.Text("main.data-folder"))
	if err != nil {
		return nil, err
	}
	p := &preparation{Dir: &Dir{Path: path, Config: cfg}, now: now, random: random, more: more}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := p.locked(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{p.network, p.coinbase, p.identities, p.check, p.write} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p.Dir, nil
}

func (p *preparation) locked() error {
	// Postgres runs as another user below this directory.
	if err := os.MkdirAll(p.Path, 0o711); err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	f, err := os.OpenFile(p.In(lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return fmt.Errorf("--data-dir %s: %w; stop it, or take another directory", p.Path, ErrInUse)
	}
	p.lock = f
	return nil
}

// network takes over the network that the directory belongs to, or begins one.
func (p *preparation) network() (err error) {
	raw, err := os.ReadFile(p.In(NetworkFile))
	switch {
	case err == nil:
		p.Config, err = p.Config.Recall(raw)
		return err
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	p.New = true
	if _, err := os.Stat(p.In(genesisFile)); err == nil {
		return fmt.Errorf("--data-dir %s: it has a %s but no %s, so it belongs to another node or to a replay; take another directory",
			p.Path, genesisFile, NetworkFile)
	}
	genesis := p.now.Add(genesisLead).Truncate(time.Second).UTC()
	if p.Config.Given("genesis.genesis-time") {
		return p.given(genesis)
	}
	p.Config, err = p.Config.With("genesis.genesis-time", genesis)
	return err
}

// given judges a genesis time for a new network.
func (p *preparation) given(example time.Time) error {
	var text string
	switch t := p.Config.GenesisTime(); {
	case t.Before(p.now):
		text = fmt.Sprintf("%s is in the past; a new network begins in the future, such as %s", t.Format(time.RFC3339), example.Format(time.RFC3339))
	case t.After(p.now.Add(genesisMost)):
		text = fmt.Sprintf("%s is more than %v away; leave it out to begin at once", t.Format(time.RFC3339), genesisMost)
	default:
		return nil
	}
	return nodeconfig.Problems{{Path: "genesis.genesis-time", Text: text}}
}

// coinbase makes sure of an account that the user can spend from.
func (p *preparation) coinbase() error {
	const path = "smeshing.smeshing-coinbase"
	if _, err := os.Stat(p.In(WalletFile)); err == nil {
		p.Wallet = p.In(WalletFile)
	}
	if p.Config.Given(path) || !p.New {
		return nil
	}
	secrets, err := p.wallet()
	if err != nil {
		return err
	}
	account, err := secrets.Accounts[0].Address()
	if err != nil {
		return err
	}
	p.Config, err = p.Config.With(path, address.Text(p.Config.Text("main.network-hrp"), account))
	return err
}

// wallet reads the wallet of a start that did not come to its end, or makes one.
func (p *preparation) wallet() (*wallet.Secrets, error) {
	if p.Wallet != "" {
		s, err := OpenWallet(p.Wallet, "")
		if err == nil && len(s.Accounts) == 0 {
			err = errors.New("it has no account")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; name the account with --coinbase", p.Wallet, err)
		}
		return &s, nil
	}
	s, err := NewWallet(1, p.now, p.random)
	p.secrets, p.Wallet = &s, p.In(WalletFile)
	return &s, err
}

// identities makes keys until there are as many as asked for.
func (p *preparation) identities() error {
	const path = "smeshery.identities"
	found, err := keyfile.Load(p.In(keyfile.Dir))
	if err != nil && !errors.Is(err, keyfile.ErrNoKeys) {
		return exposed(err)
	}
	want := int(p.Config.Int(path))
	if !p.Config.Given(path) && len(found) > 0 {
		want = len(found)
	}
	switch {
	case want < 1 || want > 100_000:
		return nodeconfig.Problems{{Path: path, Text: fmt.Sprintf("%d identities; give 1 to 100000", want)}}
	case want < len(found):
		return nodeconfig.Problems{{Path: path, Text: fmt.Sprintf("%d, but %s has %d key files, and identities are never removed by themselves; leave it out",
			want, p.In(keyfile.Dir), len(found))}}
	}
	taken := make(map[string]bool)
	for _, f := range found {
		taken[f.Name] = true
	}
	for i := 0; len(found)+len(p.fresh) < want; i++ {
		name := Name(i)
		if taken[name] {
			continue
		}
		var seed [32]byte
		if _, err := io.ReadFull(p.random, seed[:]); err != nil {
			return err
		}
		p.fresh = append(p.fresh, keyfile.Identity{Name: name, Key: signing.NewKey(seed)})
	}
	p.Identities = slices.Concat(found, p.fresh)
	p.Config, err = p.Config.With(path, want)
	return err
}

// Name is that of the i-th key file: a.key to z.key, then aa.key and so on.
func Name(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('a'+(i-1)%26)) + name
	}
	return name + ".key"
}

// exposed adds the command that mends a key file that others can read.
func exposed(err error) error {
	if errors.Is(err, keyfile.ErrExposed) {
		return fmt.Errorf("%w; `chmod 600` on it mends that, if nobody has read it", err)
	}
	return err
}

func (p *preparation) check() error {
	if err := p.Config.Check(); err != nil {
		return err
	}
	a, err := address.Parse(p.Config.Text("main.network-hrp"), p.Config.Text("smeshing.smeshing-coinbase"))
	p.Coinbase = a
	for _, look := range p.more {
		if err == nil {
			err = look(p.Config)
		}
	}
	return err
}

// write puts what is new onto the disk.
func (p *preparation) write() error {
	if p.secrets != nil {
		if err := SaveWallet(p.Wallet, p.secrets, "", p.now, p.random); err != nil {
			return err
		}
	}
	for _, f := range p.fresh {
		if err := keyfile.Store(p.In(keyfile.Dir), f); err != nil {
			return fmt.Errorf("identity %s: %w", f.Name, err)
		}
	}
	raw, err := p.Config.Remember()
	if err != nil {
		return err
	}
	temp := p.In(NetworkFile) + ".new"
	if err := os.WriteFile(temp, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, p.In(NetworkFile))
}

// HRP is the prefix of addresses of the network of a directory; empty if it has
// none.
func HRP(dir string) string {
	raw, err := os.ReadFile(filepath.Join(dir, NetworkFile))
	if err != nil {
		return ""
	}
	cfg, _, err := nodeconfig.Resolve(nodeconfig.Input{File: raw})
	if err != nil {
		return ""
	}
	return cfg.Text("main.network-hrp")
}
