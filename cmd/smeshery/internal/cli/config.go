package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
)

const configText = `Usage: smeshery config check|print|diff [flags of go-spacemesh and of smeshery]

Reads a configuration as a node would: the file of --config (-c), the flags, and the
numbers of --preset (-p) below both; without a preset those of mainnet.

  check   tells everything that is wrong with it; the exit code is 2 then
  print   prints all settings as a file that says the same
  diff    prints what differs from the preset, or from mainnet
`

func configCommand(_ context.Context, e *env, args []string) (int, error) {
	if len(args) == 0 || wantsHelp(args) || args[0] == "help" {
		fmt.Fprint(e.stdout, configText)
		return exitOK, nil
	}
	run, ok := map[string]func(*env, *nodeconfig.Config) (int, error){"check": configCheck, "print": configPrint, "diff": configDiff}[args[0]]
	if !ok {
		return exitError, usagef("there is no command %q", args[0])
	}
	cfg, rest, err := nodeconfig.Resolve(nodeconfig.Input{Optional: true, Args: args[1:]})
	if err != nil {
		return exitError, usagef("%w", err)
	}
	if len(rest) > 0 {
		return exitError, usagef("there is no argument %q", rest[0])
	}
	return run(e, cfg.Expand(nodeconfig.Machine()))
}

func configCheck(e *env, cfg *nodeconfig.Config) (int, error) {
	for _, n := range cfg.Notes() {
		fmt.Fprintf(e.stderr, "note: %s\n", n)
	}
	for _, path := range cfg.Idle() {
		fmt.Fprintf(e.stderr, "note: %s means nothing here\n", path)
	}
	if err := cfg.Check(); err != nil {
		return exitError, err
	}
	if _, err := cfg.Params(); err != nil {
		return exitError, err
	}
	fmt.Fprintln(e.stdout, "the configuration is good")
	return exitOK, nil
}

func configPrint(e *env, cfg *nodeconfig.Config) (int, error) {
	enc := json.NewEncoder(e.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return exitOK, enc.Encode(cfg.Nested())
}

func configDiff(e *env, cfg *nodeconfig.Config) (int, error) {
	name := cfg.Text("preset")
	if !slices.Contains(nodeconfig.Presets(), name) {
		name = "mainnet"
	}
	base, err := nodeconfig.Preset(name)
	if err != nil {
		return exitError, err
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, c := range cfg.Diff(base.Expand(nodeconfig.Machine())) {
		if c.Path == "preset" {
			continue
		}
		before, err := json.Marshal(c.Before)
		if err != nil {
			return exitError, err
		}
		after, err := json.Marshal(c.After)
		if err != nil {
			return exitError, err
		}
		fmt.Fprintf(table, "%s\t%s\t→ %s\n", c.Path, before, after)
	}
	return exitOK, table.Flush()
}
