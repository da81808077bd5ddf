package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/live"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
)

const standaloneText = `Usage: smeshery standalone [flags]

Runs a whole Spacemesh network in this process: PoET, identities with proofs of
space made by the CPU, consensus, state and APIs, over an embedded NATS server and
a Postgres of its own. The first start makes a data directory with the identities'
keys and a wallet that is rewarded; the next start goes on with the same network.
Ctrl-C stops it.

The network:
  --data-dir DIR            where everything lies (default ~/smeshery/standalone)
  --identities N            how many identities smesh; more may be added later (default 1)
  --coinbase ADDRESS        account that is rewarded (default: of a new wallet in the data directory)
  --genesis-time TIME       when layer 0 begins, such as 2030-01-02T03:04:05Z (default: in 10 seconds)
  --genesis-extra-data TEXT tells networks with the same genesis time apart (default standalone)
  --layer-duration TIME     length of a layer; hare's rounds have to fit into it (default 6s)
  --layers-per-epoch N      length of an epoch in layers (default 10)
  --phase-shift TIME        when in an epoch PoET rounds begin (default 30s)
  --cycle-gap TIME          pause between two PoET rounds, for proving; less than an epoch (default 30s)
  --preset NAME             numbers to start from: standalone, fastnet or testnet (default standalone)
  --config FILE, -c FILE    settings of go-spacemesh as JSON; our own are in its section "smeshery"

Addresses:
  --grpc-public-listener ADDRESS   public API (default 0.0.0.0:10092)
  --grpc-private-listener ADDRESS  private API (default 127.0.0.1:10093)
  --grpc-json-listener ADDRESS     public API as JSON over HTTP (default: off)
  --poet-listener ADDRESS          PoET (default 127.0.0.1:10010)
  --metrics-listener ADDRESS       metrics, health and profiles (default 127.0.0.1:10090)

Logs:
  --log-file FILE           default: smeshery.log in the data directory
  --log-level LEVEL         debug, info, warn or error (default info)
  --log-encoder FORM        console or json (default console)

Space:
  --post-dir DIR            where proofs of space lie (default: post in the data directory)
  --smeshing-opts-numunits N  size of an identity's data in units (default 1)

Elsewhere:
  --database URL            a Postgres to use instead of an own one; see smeshery migrate
  --nats URL                a NATS server to use instead of the embedded one

All other flags of go-spacemesh are understood too; smeshery config print lists all
settings with their values, and smeshery config check tells what is wrong with them.
`

// resolveArgs reads a configuration for a network of our own.
func resolveArgs(e *env, args []string, text string, flags ...nodeconfig.Flag) (*nodeconfig.Config, []string, error) {
	if wantsHelp(args) {
		fmt.Fprint(e.stdout, text)
		return nil, nil, nil
	}
	cfg, rest, err := nodeconfig.Resolve(nodeconfig.Input{Preset: "standalone", Optional: true, Args: args, Flags: flags})
	if err != nil {
		return nil, nil, usagef("%w", err)
	}
	return cfg.Expand(nodeconfig.Machine()), rest, nil
}

func wantsHelp(args []string) bool {
	for _, a := range args {
		switch a {
		case "--":
			return false
		case "-h", "-help", "--help":
			return true
		}
	}
	return false
}

// ownNetwork makes a configuration one of a network that is only this node.
func ownNetwork(cfg *nodeconfig.Config) (_ *nodeconfig.Config, err error) {
	if cfg.Given("smeshing.smeshing-start") && !cfg.Bool("smeshing.smeshing-start") {
		return nil, usagef("--smeshing-start=false: a network without anybody who smeshes stands still")
	}
	values := map[string]any{"main.standalone": true, "smeshing.smeshing-start": true}
	if !cfg.Given("main.data-folder") {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, usagef("--data-dir is missing, and there is no home directory: %w", err)
		}
		values["main.data-folder"] = filepath.Join(home, "smeshery", "standalone")
	}
	if cfg.Text("preset") == "" {
		values["preset"] = "standalone"
	}
	if len(cfg.Poets()) == 0 && !cfg.Given("main.poet-servers") {
		values["main.poet-servers"] = []any{map[string]any{"address": "http://127.0.0.1:10010"}}
	}
	for path, v := range values {
		if cfg, err = cfg.With(path, v); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

func standaloneCommand(ctx context.Context, e *env, args []string) (int, error) {
	cfg, rest, err := resolveArgs(e, args, standaloneText)
	switch {
	case err != nil || cfg == nil:
		return exitError * bit(err != nil), err
	case len(rest) > 0:
		return exitError, usagef("it takes no arguments, but there is %q", rest[0])
	}
	if cfg, err = ownNetwork(cfg); err != nil {
		return exitError, err
	}
	if cfg.Given("smeshery.targets") {
		return exitError, usagef("--target: all services run here; smeshery run --target runs some")
	}
	dir, err := datadir.Prepare(cfg, time.Now(), rand.Reader, func(cfg *nodeconfig.Config) error {
		return checkPorts(ctx, cfg, adminListener(cfg))
	})
	if err != nil {
		return exitError, err
	}
	defer dir.Close()
	if dir.Config, err = dir.Config.With("main.data-folder", dir.Path); err != nil {
		return exitError, err
	}
	return standalone(ctx, e, dir)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// standalone runs the network of a directory until it is interrupted.
func standalone(ctx context.Context, e *env, dir *datadir.Dir) (int, error) {
	log, logPath, file, err := openLog(dir.Config)
	if err != nil {
		return exitError, err
	}
	defer file.Close()
	nc, err := nodeConfig(dir.Config, log)
	if err != nil {
		return exitError, err
	}
	introduce(e, dir, &nc, logPath)
	n, err := node.Start(ctx, nc)
	if err != nil {
		return exitError, err
	}
	places(e, n, &nc)
	w := live.NewWatcher(live.Config{
		DB: n.DB(), Bus: n.Bus(), Network: &nc.Network, Coinbase: dir.Coinbase,
		CoinbaseText: dir.Config.Text("smeshing.smeshing-coinbase"), Now: time.Now,
	})
	err = runNode(ctx, n, func(ctx context.Context) error { return live.Show(ctx, w, e.screen()) })
	if err == nil {
		fmt.Fprintln(e.stdout, "stopped; the same command goes on")
	}
	return exitError * bit(err != nil), err
}

// introduce says what is about to run.
func introduce(e *env, dir *datadir.Dir, nc *node.Config, log string) {
	p := &nc.Network
	id := p.Genesis.ID()
	begin := "goes on"
	if dir.New {
		begin = "begins"
	}
	fmt.Fprintf(e.stdout, "network    %s %x, layers of %v, %d an epoch; %s, genesis %s\n",
		p.Name, id[:], p.LayerDuration, p.LayersPerEpoch, begin, p.Genesis.Time.Local().Format(time.DateTime))
	fmt.Fprintf(e.stdout, "directory  %s\n", dir.Path)
	fmt.Fprintf(e.stdout, "identities %d\n", len(dir.Identities))
	if dir.Wallet != "" {
		fmt.Fprintf(e.stdout, "wallet     %s (no password)\n", dir.Wallet)
	}
	fmt.Fprintf(e.stdout, "logs       %s\n", log)
}

// places says where a node is to be reached.
func places(e *env, n *node.Node, nc *node.Config) {
	var apis []string
	for _, name := range []string{"public", "private", "tls", "json"} {
		if a := n.APIAddr(name); a != nil {
			apis = append(apis, name+" "+a.String())
		}
	}
	if len(apis) > 0 {
		fmt.Fprintf(e.stdout, "API        %s\n", strings.Join(apis, ", "))
	}
	if nc.Live.PoetListen != "" {
		fmt.Fprintf(e.stdout, "PoET       http://%s\n", nc.Live.PoetListen)
	}
	if a := n.AdminAddr(); a != nil {
		fmt.Fprintf(e.stdout, "metrics    http://%s/metrics\n", a)
	}
	fmt.Fprintln(e.stdout)
}

// screen is where a live view goes.
func (e *env) screen() live.Screen {
	s := live.Screen{Out: e.stdout, Terminal: -1}
	if f, ok := e.stdout.(*os.File); ok && isTerminal(f) {
		s.Terminal = int(f.Fd())
	}
	return s
}
