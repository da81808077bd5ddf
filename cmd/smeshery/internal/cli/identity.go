package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/signing"
)

func identityCommands() []command {
	return []command{
		{"identity list", "[flags]", "list the identities of a data directory", identityList},
		{"identity create", "[NAME.key …] [flags]", "make new identities", identityCreate},
		{"identity info", "NAME.key [flags]", "tell of one identity", identityInfo},
		{"identity export", "NAME.key FILE [flags]", "retire an identity and write down what it signed", identityExport},
		{"identity import", "FILE [flags]", "take an identity's records in", identityImport},
		{"identity quarantine", "[flags]", "after a restore: sign nothing that may be signed already", identityQuarantine},
	}
}

func identityCommand(ctx context.Context, e *env, args []string) (int, error) {
	return subcommand(ctx, e, "identity", identityCommands(), args)
}

// identityFlags are those that commands on identities share.
type identityFlags struct {
	set      *flag.FlagSet
	dir      *string
	database *string
	config   *string
	rest     []string
}

func newIdentityFlags(e *env, name, arguments, text string) *identityFlags {
	fs := flags(e, "identity "+name, arguments, text)
	return &identityFlags{set: fs, dir: fs.String("data-dir", "", "`directory` of the node; default ~/smeshery/standalone")}
}

func (f *identityFlags) withDatabase() *identityFlags {
	f.database = f.set.String("database", "", "`URL` of the node's Postgres, if it is not in the data directory")
	f.config = f.set.String("config", "", "configuration `file` of the node, if the network is not that of the data directory")
	return f
}

func (f *identityFlags) parse(args []string, least, most int) (err error) {
	f.rest, err = parse(f.set, args)
	switch {
	case err != nil:
		return err
	case len(f.rest) < least:
		return usagef("an argument is missing")
	case most >= 0 && len(f.rest) > most:
		return usagef("there is no argument %q", f.rest[most])
	}
	if *f.dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return usagef("--data-dir is missing, and there is no home directory: %w", err)
		}
		*f.dir = filepath.Join(home, "smeshery", "standalone")
	}
	return nil
}

func (f *identityFlags) keys() string { return filepath.Join(*f.dir, keyfile.Dir) }

// load reads the key files.
func (f *identityFlags) load() ([]keyfile.Identity, error) {
	found, err := keyfile.Load(f.keys())
	if errors.Is(err, keyfile.ErrExposed) {
		err = fmt.Errorf("%w; `chmod 600` on it mends that, if nobody has read it", err)
	}
	return found, err
}

// find is the key of a file.
func (f *identityFlags) find(name string) (keyfile.Identity, error) {
	found, err := f.load()
	if err != nil {
		return keyfile.Identity{}, err
	}
	i := slices.IndexFunc(found, func(k keyfile.Identity) bool {
		return k.Name == name || k.Name == name+".key" || k.Key.NodeID().String() == name
	})
	if i < 0 {
		return keyfile.Identity{}, fmt.Errorf("there is no identity %s in %s", name, f.keys())
	}
	return found[i], nil
}

func identityList(_ context.Context, e *env, args []string) (int, error) {
	f := newIdentityFlags(e, "list", "[flags]", "Lists the identities whose keys lie in a data directory.")
	asJSON := f.set.Bool("json", false, "print JSON")
	if err := f.parse(args, 0, 0); err != nil {
		return exitError, err
	}
	found, err := f.load()
	if err != nil && !errors.Is(err, keyfile.ErrNoKeys) {
		return exitError, err
	}
	if *asJSON {
		out := []map[string]string{}
		for _, k := range found {
			out = append(out, map[string]string{"name": k.Name, "id": k.Key.NodeID().String()})
		}
		return exitOK, json.NewEncoder(e.stdout).Encode(out)
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, k := range found {
		fmt.Fprintf(table, "%s\t%s\n", k.Name, k.Key.NodeID())
	}
	return exitOK, table.Flush()
}

func identityCreate(_ context.Context, e *env, args []string) (int, error) {
	f := newIdentityFlags(e, "create", "[NAME.key …] [flags]", `Makes key files as go-spacemesh has them, under the names or the next free ones. A
running node takes them in when it starts again.`)
	count := f.set.Uint("count", 1, "`number` of identities to make if none is named")
	if err := f.parse(args, 0, -1); err != nil {
		return exitError, err
	}
	found, err := f.load()
	if err != nil && !errors.Is(err, keyfile.ErrNoKeys) {
		return exitError, err
	}
	taken := make(map[string]bool)
	for _, k := range found {
		taken[k.Name] = true
	}
	names := f.rest
	if len(names) == 0 && *count > 100_000 {
		return exitError, usagef("--count %d; give at most 100000", *count)
	}
	for i := 0; len(f.rest) == 0 && len(names) < int(*count); i++ {
		if name := datadir.Name(i); !taken[name] {
			names = append(names, name)
		}
	}
	for _, name := range names {
		switch {
		case filepath.Base(name) != name || !strings.HasSuffix(name, ".key") || name == ".key":
			return exitError, usagef("%q is no name such as a.key", name)
		case taken[name]:
			return exitError, fmt.Errorf("%s is there already, and keys are never overwritten", name)
		case len(found) > 0 && (name == keyfile.LocalName || taken[keyfile.LocalName]), len(names) > 1 && name == keyfile.LocalName:
			return exitError, fmt.Errorf("%w; rename it first", keyfile.ErrMixed)
		}
	}
	for _, name := range names {
		var seed [32]byte
		if _, err := rand.Read(seed[:]); err != nil {
			return exitError, err
		}
		k := keyfile.Identity{Name: name, Key: signing.NewKey(seed)}
		if err := keyfile.Store(f.keys(), k); err != nil {
			return exitError, err
		}
		fmt.Fprintf(e.stdout, "%s %s\n", name, k.Key.NodeID())
	}
	return exitOK, nil
}

func identityInfo(_ context.Context, e *env, args []string) (int, error) {
	f := newIdentityFlags(e, "info", "NAME.key [flags]", "Tells of one identity: its file, its id, and its data.")
	if err := f.parse(args, 1, 1); err != nil {
		return exitError, err
	}
	k, err := f.find(f.rest[0])
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "file  %s\nid    %s\n", filepath.Join(f.keys(), k.Name), k.Key.NodeID())
	return exitOK, nil
}
