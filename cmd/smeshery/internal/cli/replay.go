package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/replay"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/wire"
)

const replayText = `Feeds everything that another node held through this node's services, and
compares what the two made of it. The source is a recording (a directory with a
manifest.json) or the state.sql of a go-spacemesh node, which is only read.

A replay that was interrupted or killed goes on where it stopped, given the same
data directory. Without one it works in a temporary directory.

The exit code is 0 without differences, 1 with some, 2 if it could not be done.`

// replayFlags are the flags as they were given.
type replayFlags struct {
	dataDir, database         string
	fromLayer, stopAt         uint64
	asJSON, verbose           bool
	preset, config            string
	genesisTime, genesisExtra string
	source                    string
}

func parseReplay(e *env, args []string) (*replayFlags, error) {
	f := new(replayFlags)
	fs := flags(e, "replay", "[flags] DIR|state.sql", replayText)
	fs.StringVar(&f.dataDir, "data-dir", "", "`DIR` to keep the database in, to go on after an interruption")
	fs.StringVar(&f.database, "database", "", "`URL` of a Postgres to use instead of a private one")
	fs.Uint64Var(&f.fromLayer, "from-layer", 0, "compare from layer `N` on; earlier layers are only fed")
	fs.Uint64Var(&f.stopAt, "stop-at", 0, "process no layer after `N`")
	fs.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	fs.BoolVar(&f.verbose, "verbose", false, "print the services' logs")
	fs.StringVar(&f.preset, "preset", "", "`NAME` of the network of a state.sql: mainnet, testnet, fastnet or standalone")
	fs.StringVar(&f.config, "config", "", "`FILE` that describes the network of a state.sql, like a recording's manifest.json")
	fs.StringVar(&f.genesisTime, "genesis-time", "", "genesis `TIME` of the network of a state.sql")
	fs.StringVar(&f.genesisExtra, "genesis-extra-data", "", "genesis `TEXT` of the network of a state.sql")
	rest, err := parse(fs, args)
	if err != nil {
		return nil, err
	}
	switch {
	case len(rest) == 0:
		return nil, usagef("name a recording's directory or a state.sql")
	case len(rest) > 1:
		return nil, usagef("one source at a time, but there is also %q", rest[1])
	case f.dataDir != "" && f.database != "":
		return nil, usagef("--data-dir and --database exclude each other")
	case f.fromLayer > math.MaxUint32 || f.stopAt > math.MaxUint32:
		return nil, usagef("layers have 32 bits")
	case f.stopAt > 0 && f.fromLayer > f.stopAt:
		return nil, usagef("--from-layer %d is after --stop-at %d", f.fromLayer, f.stopAt)
	}
	f.source = rest[0]
	return f, nil
}

// manifest describes the network of a database; nil if no flag does.
func (f *replayFlags) manifest() (*source.Manifest, error) {
	if f.preset == "" && f.config == "" && f.genesisTime == "" && f.genesisExtra == "" {
		return nil, nil
	}
	m := new(source.Manifest)
	if f.config != "" {
		var err error
		if m, err = source.ReadManifest(f.config); err != nil {
			return nil, err
		}
	}
	if f.preset != "" {
		m.Preset = f.preset
	}
	if f.genesisTime != "" {
		t, err := time.Parse(time.RFC3339, f.genesisTime)
		if err != nil {
			return nil, usagef("--genesis-time %s is no time such as 2023-07-14T08:00:00Z", f.genesisTime)
		}
		m.GenesisTime = &t
	}
	if f.genesisExtra != "" {
		m.GenesisExtraData = f.genesisExtra
	}
	return m, nil
}

func replayCommand(ctx context.Context, e *env, args []string) (int, error) {
	f, err := parseReplay(e, args)
	if err != nil {
		return exitError, err
	}
	m, err := f.manifest()
	if err != nil {
		return exitError, err
	}
	p := newProgress(e)
	defer p.close()
	p.Notice("reading %s", f.source)
	src, err := source.Open(ctx, f.source, m)
	if err != nil {
		return exitError, err
	}
	defer src.Close()
	report, err := replayOn(ctx, e, f, src, p)
	p.close()
	if err != nil {
		if report != nil && report.Differences > 0 {
			fmt.Fprintf(e.stderr, "until then: %d differences\n", report.Differences)
		}
		return exitError, err
	}
	if err := printReport(e, f.asJSON, report); err != nil {
		return exitError, err
	}
	if report.Differences > 0 {
		return exitDifferent, nil
	}
	return exitOK, nil
}

// replayOn runs the node for as long as the replay takes.
func replayOn(ctx context.Context, e *env, f *replayFlags, src source.Source, p *progress) (*replay.Report, error) {
	dir := f.dataDir
	if dir == "" && f.database == "" {
		temp, err := os.MkdirTemp("", "smeshery-replay-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	level := slog.LevelError + 4 // the replay itself tells what matters
	if f.verbose {
		level = slog.LevelInfo
	}
	params := src.Params()
	seed := params.Genesis.ID()
	clock, arrivals := new(replay.Clock), new(replay.Arrivals)
	p.Notice("starting the node")
	n, err := node.Start(ctx, node.Config{
		DataDir: dir, DatabaseURL: f.database, Network: params, Seed: seed[:],
		Now: clock.Now, Received: arrivals.Received, Log: logger(e, level),
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		p.Notice("stopping the node")
		n.Stop(stopping)
	}()
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-n.Failed():
			cancel(n.Err())
		case <-running.Done():
		}
	}()
	report, err := replay.Run(running, replay.Config{
		Source: src, Target: n, Clock: clock, Arrivals: arrivals,
		FromLayer: wire.LayerID(f.fromLayer), StopAt: wire.LayerID(f.stopAt), Progress: p,
	})
	if err != nil && n.Err() != nil && !errors.Is(err, n.Err()) {
		err = n.Err()
	}
	return report, err
}

func printReport(e *env, asJSON bool, r *replay.Report) error {
	if !asJSON {
		return printTable(e.stdout, r)
	}
	enc := json.NewEncoder(e.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
