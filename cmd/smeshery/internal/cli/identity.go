package cli

import (
	"cmp"
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
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/postgres"
	"github.com/smeshery/smeshery/services/activation"
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

// params are those of the node's network.
func (f *identityFlags) params() (network.Params, error) {
	path := cmp.Or(*f.config, filepath.Join(*f.dir, datadir.NetworkFile))
	raw, err := os.ReadFile(path)
	if err != nil {
		return network.Params{}, fmt.Errorf("%w; --data-dir or --config says which network it is", err)
	}
	cfg, _, err := nodeconfig.Resolve(nodeconfig.Input{File: raw})
	if err != nil {
		return network.Params{}, err
	}
	return cfg.Params()
}

// open opens the tables of activation, in a Postgres that is started if need be.
func (f *identityFlags) open(ctx context.Context) (db *store.DB, done func(), err error) {
	url, stop := *f.database, func() {}
	if url == "" {
		server, err := postgres.Start(ctx, postgres.Config{Dir: filepath.Join(*f.dir, "postgres")})
		if err != nil {
			return nil, nil, fmt.Errorf("%w; a running node has to stop first, or name its --database", err)
		}
		url = server.URL(server.Database())
		stop = func() {
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			server.Stop(stopping)
		}
	}
	if err := store.Migrate(ctx, url, node.Schemas()...); err != nil {
		stop()
		return nil, nil, err
	}
	db, err = store.Open(ctx, store.Config{URL: url, Schema: activation.Schema().Name, MaxConns: 2})
	if err != nil {
		stop()
		return nil, nil, err
	}
	return db, func() { db.Close(); stop() }, nil
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func identityExport(ctx context.Context, e *env, args []string) (int, error) {
	f := newIdentityFlags(e, "export", "NAME.key FILE [flags]", `Retires an identity here and writes what it signed into FILE, so that another node
can go on with it and never signs anything twice. The key file is not part of it:
move it to the other node, then import FILE there. Only an import ends the
retirement.`).withDatabase()
	if err := f.parse(args, 2, 2); err != nil {
		return exitError, err
	}
	k, err := f.find(f.rest[0])
	if err != nil {
		return exitError, err
	}
	params, err := f.params()
	if err != nil {
		return exitError, err
	}
	out, err := os.OpenFile(f.rest[1], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return exitError, err
	}
	db, done, err := f.open(ctx)
	if err != nil {
		return exitError, errors.Join(err, out.Close(), os.Remove(f.rest[1]))
	}
	defer done()
	raw, err := activation.ExportRecords(ctx, db, systemClock{}, params.Genesis.ID(), k.Key.NodeID())
	if err != nil {
		return exitError, errors.Join(err, out.Close(), os.Remove(f.rest[1]))
	}
	if _, err = out.Write(raw); err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return exitError, fmt.Errorf("%w; the same command with another file writes it again", err)
	}
	fmt.Fprintf(e.stdout, "%s is retired; its records are in %s, move %s along\n", k.Key.NodeID(), f.rest[1], filepath.Join(f.keys(), k.Name))
	return exitOK, nil
}

func identityImport(ctx context.Context, e *env, args []string) (int, error) {
	f := newIdentityFlags(e, "import", "FILE [flags]", `Takes in what an identity signed elsewhere. Put its key file into the identities of
this node before it is started.`).withDatabase()
	if err := f.parse(args, 1, 1); err != nil {
		return exitError, err
	}
	raw, err := os.ReadFile(f.rest[0])
	if err != nil {
		return exitError, err
	}
	params, err := f.params()
	if err != nil {
		return exitError, err
	}
	db, done, err := f.open(ctx)
	if err != nil {
		return exitError, err
	}
	defer done()
	id, err := activation.ImportRecords(ctx, db, params.Genesis.ID(), raw)
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "records of %s are taken in\n", id)
	return exitOK, nil
}
