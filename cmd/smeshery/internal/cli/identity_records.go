package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/postgres"
	"github.com/smeshery/smeshery/services/activation"
)

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
