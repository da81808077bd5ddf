package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
)

const runText = `Usage: smeshery run --target SERVICE --nats URL --database URL --config FILE [flags]

Runs some services in this process, over a NATS server and a Postgres that run
elsewhere; smeshery migrate prepares the database. Several processes of a service
share its work or stand by for each other. Logs go to stderr.

  --target SERVICE[,SERVICE]  services: %s (default: all)
  --nats URL                  NATS with JetStream, whose max_payload is at least 33554432
  --database URL              Postgres; a password belongs into PGPASSFILE
  --name NAME                 tells this process from others of the same service; letters, digits and -
  --config FILE, -c FILE      the network and everything else, as go-spacemesh's configuration
  --data-dir DIR              keys of identities, and work of PoET and post-workers
  --metrics-listener ADDRESS  metrics, health and profiles
  --log-level LEVEL           debug, info, warn or error
  --log-encoder FORM          console or json

All flags of smeshery standalone and of go-spacemesh are understood; smeshery config
print lists all settings.
`

func runCommand(ctx context.Context, e *env, args []string) (int, error) {
	if wantsHelp(args) {
		fmt.Fprintf(e.stdout, runText, strings.Join(node.Services(), ", "))
		return exitOK, nil
	}
	cfg, rest, err := nodeconfig.Resolve(nodeconfig.Input{Optional: true, Args: args})
	switch {
	case err != nil:
		return exitError, usagef("%w", err)
	case len(rest) > 0:
		return exitError, usagef("it takes no arguments, but there is %q", rest[0])
	}
	cfg = cfg.Expand(nodeconfig.Machine())
	for _, path := range []string{"smeshery.nats", "smeshery.database"} {
		if cfg.Text(path) == "" {
			return exitError, usagef("--%s is missing; smeshery standalone runs everything in one process", strings.TrimPrefix(path, "smeshery."))
		}
	}
	if err := cfg.Check(); err != nil {
		return exitError, err
	}
	log := newLog(e.stderr, cfg)
	nc, err := nodeConfig(cfg, log)
	if err != nil {
		return exitError, err
	}
	n, err := node.Start(ctx, nc)
	if err != nil {
		return exitError, err
	}
	log.Info("services run", "services", strings.Join(nc.Targets, ","))
	err = runNode(ctx, n, func(ctx context.Context) error { <-ctx.Done(); return nil })
	return exitError * bit(err != nil), err
}
