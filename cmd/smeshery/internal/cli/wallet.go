package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/wallet"
)

func walletCommands() []command {
	return []command{
		{"wallet create", "[N] [flags]", "make a wallet file with N accounts", walletCreate},
		{"wallet show", "[flags]", "list the accounts of a wallet", walletShow},
		{"wallet address", "[flags]", "print the address of an account", walletAddress},
		{"wallet balance", "[flags]", "ask a node for the balances of accounts", walletBalance},
		{"wallet spawn", "[flags]", "make an account able to send", walletSpawn},
		{"wallet send", "TO AMOUNT [flags]", "send coins", walletSend},
	}
}

func walletCommand(ctx context.Context, e *env, args []string) (int, error) {
	return subcommand(ctx, e, "wallet", walletCommands(), args)
}

// walletFlags are those that commands on a wallet share.
type walletFlags struct {
	set                 *flag.FlagSet
	file, dir, password *string
	hrp, api            *string
	account             *uint
	full, private       *bool
	parent              *bool
	gasPrice            *uint64
	wait                *bool
	timeout             *time.Duration
	rest                []string
}

func newWalletFlags(e *env, name, arguments, text string) *walletFlags {
	fs := flags(e, "wallet "+name, arguments, text)
	return &walletFlags{
		set: fs, file: fs.String("file", "", "wallet `file`, as of smcli"),
		dir:      fs.String("data-dir", "", "`directory` of a standalone network whose wallet is used; default ~/smeshery/standalone"),
		password: fs.String("password-file", "", "`file` that has the password in its first line; without it the terminal is asked"),
	}
}

func (f *walletFlags) parse(args []string) (err error) {
	f.rest, err = parse(f.set, args)
	if err == nil && *f.file != "" && *f.dir != "" {
		err = usagef("--file and --data-dir exclude each other")
	}
	return err
}

func (f *walletFlags) noArguments() error {
	if len(f.rest) > 0 {
		return usagef("there is no argument %q", f.rest[0])
	}
	return nil
}

// path is the file that the flags name.
func (f *walletFlags) path() (string, error) {
	switch {
	case *f.file != "":
		return *f.file, nil
	case *f.dir != "":
		return filepath.Join(*f.dir, datadir.WalletFile), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, "smeshery", "standalone", datadir.WalletFile), err
}

// open reads the wallet. A wallet without a password needs none to be typed.
func (f *walletFlags) open(e *env) (wallet.Secrets, error) {
	path, err := f.path()
	if err != nil {
		return wallet.Secrets{}, err
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return wallet.Secrets{}, fmt.Errorf("there is no wallet %s; name one with --file or --data-dir, or make one with smeshery wallet create", path)
	}
	if err != nil {
		return wallet.Secrets{}, err
	}
	file, err := wallet.Parse(raw)
	if err != nil {
		return wallet.Secrets{}, fmt.Errorf("%s is no wallet: %w", path, err)
	}
	if file.Weak() {
		fmt.Fprintf(e.stderr, "warning: the password of %s costs little to guess\n", path)
	}
	if *f.password != "" {
		password, err := firstLine(*f.password)
		if err != nil {
			return wallet.Secrets{}, err
		}
		return opened(path, &file, password)
	}
	if s, err := wallet.Open(&file, ""); err == nil {
		return s, nil
	}
	password, err := askHidden(e, "password of "+path+": ")
	if err != nil {
		return wallet.Secrets{}, err
	}
	return opened(path, &file, password)
}

func opened(path string, file *wallet.File, password string) (wallet.Secrets, error) {
	s, err := wallet.Open(file, password)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func firstLine(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

func walletCreate(_ context.Context, e *env, args []string) (int, error) {
	f := newWalletFlags(e, "create", "[N] [flags]", `Makes a wallet file with N accounts (default 1), as smcli does. Its words are new,
or those of --words-file. Write the words down: they are the accounts.`)
	words := f.set.String("words-file", "", "`file` with the words of a wallet to make again")
	show := f.set.Bool("show-words", false, "print the words of the new wallet")
	if err := f.parse(args); err != nil {
		return exitError, err
	}
	n := 1
	if len(f.rest) > 1 {
		return exitError, usagef("one number of accounts, but there is also %q", f.rest[1])
	}
	var err error
	if len(f.rest) == 1 {
		if n, err = strconv.Atoi(f.rest[0]); err != nil || n < 0 || n > wallet.MaxAccounts {
			return exitError, usagef("%q is no number of accounts from 0 to %d", f.rest[0], wallet.MaxAccounts)
		}
	}
	path, err := newWalletPath(f)
	if err != nil {
		return exitError, err
	}
	var s wallet.Secrets
	if *words != "" {
		var line string
		if line, err = firstLine(*words); err == nil {
			s, err = wallet.Derive(line, n, time.Now())
		}
	} else {
		s, err = datadir.NewWallet(n, time.Now(), rand.Reader)
	}
	if err != nil {
		return exitError, err
	}
	password, err := newPassword(e, f)
	if err != nil {
		return exitError, err
	}
	if err := datadir.SaveWallet(path, &s, password, time.Now(), rand.Reader); err != nil {
		return exitError, err
	}
	fmt.Fprintln(e.stdout, path)
	if *show {
		fmt.Fprintln(e.stdout, s.Mnemonic)
	}
	return exitOK, nil
}

// newWalletPath is where a new wallet goes; smcli's place if nothing is said.
func newWalletPath(f *walletFlags) (string, error) {
	path, err := f.path()
	if *f.file == "" && *f.dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", usagef("--file is missing, and there is no home directory: %w", err)
		}
		path = filepath.Join(home, ".spacemesh", "wallet_"+time.Now().UTC().Format(wallet.CreatedLayout)+".json")
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("%s is there already, and wallets are never overwritten", path)
	}
	return path, err
}

func newPassword(e *env, f *walletFlags) (string, error) {
	if *f.password != "" {
		return firstLine(*f.password)
	}
	password, err := askHidden(e, "password of the new wallet (may be empty): ")
	if err != nil || password == "" {
		return password, err
	}
	again, err := askHidden(e, "again: ")
	if err == nil && again != password {
		err = errors.New("the two passwords differ")
	}
	return password, err
}

func walletShow(_ context.Context, e *env, args []string) (int, error) {
	f := newWalletFlags(e, "show", "[flags]", "Lists the accounts of a wallet.")
	f.hrp = f.set.String("hrp", "", "`prefix` of addresses; default is the network's of --data-dir, or sm")
	f.full = f.set.Bool("full", false, "do not shorten keys")
	f.private = f.set.Bool("private", false, "show private keys and words too")
	f.parent = f.set.Bool("parent", false, "show the master key too")
	if err := errors.Join(f.parse(args), f.noArguments()); err != nil {
		return exitError, err
	}
	s, err := f.open(e)
	if err != nil {
		return exitError, err
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	head := "address\tpublic key"
	if *f.private {
		head += "\tprivate key"
	}
	fmt.Fprintln(table, head+"\tpath\tname\tcreated")
	if *f.parent && s.Master != nil {
		f.row(table, "N/A", s.Master)
	}
	for i := range s.Accounts {
		a, err := s.Accounts[i].Address()
		if err != nil {
			return exitError, err
		}
		f.row(table, address.Text(f.prefix(), a), &s.Accounts[i])
	}
	if *f.private {
		fmt.Fprintf(table, "\n%s\n", s.Mnemonic)
	}
	return exitOK, table.Flush()
}

func (f *walletFlags) row(table *tabwriter.Writer, name string, k *wallet.KeyPair) {
	short := func(key string) string {
		if *f.full || len(key) <= 20 {
			return key
		}
		return key[:20] + "…"
	}
	keys := short(k.PublicKey)
	if *f.private {
		keys += "\t" + short(k.SecretKey)
	}
	fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", name, keys, k.Path, k.DisplayName, k.Created)
}

// prefix of addresses where no node is asked.
func (f *walletFlags) prefix() string {
	if *f.hrp != "" {
		return *f.hrp
	}
	path, err := f.path()
	if err != nil || *f.file != "" {
		return "sm"
	}
	if hrp := datadir.HRP(filepath.Dir(path)); hrp != "" {
		return hrp
	}
	return "sm"
}

func walletAddress(_ context.Context, e *env, args []string) (int, error) {
	f := newWalletFlags(e, "address", "[flags]", "Prints the address of an account.")
	f.hrp = f.set.String("hrp", "", "`prefix` of addresses; default is the network's of --data-dir, or sm")
	f.account = f.set.Uint("account", 0, "`number` of the account, from 0 on")
	if err := errors.Join(f.parse(args), f.noArguments()); err != nil {
		return exitError, err
	}
	k, err := f.pair(e)
	if err != nil {
		return exitError, err
	}
	a, err := k.Address()
	if err != nil {
		return exitError, err
	}
	fmt.Fprintln(e.stdout, address.Text(f.prefix(), a))
	return exitOK, nil
}

// pair is the account that --account names.
func (f *walletFlags) pair(e *env) (*wallet.KeyPair, error) {
	s, err := f.open(e)
	if err != nil {
		return nil, err
	}
	if *f.account >= uint(len(s.Accounts)) {
		return nil, fmt.Errorf("--account %d: the wallet has %d accounts, numbered from 0", *f.account, len(s.Accounts))
	}
	return &s.Accounts[*f.account], nil
}
