package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/smeshery/smeshery/pkg/telemetry"
)

// Exit codes.
const (
	exitOK          = 0
	exitDifferent   = 1
	exitError       = 2
	exitInterrupted = 130
)

// command is a subcommand.
type command struct {
	name, arguments, summary string
	run                      func(ctx context.Context, e *env, args []string) (int, error)
}

func commands() []command {
	return []command{
		{"standalone", "[flags]", "run a whole network on this machine", standaloneCommand},
		{"run-split", "[flags]", "run it as one process a service", runSplitCommand},
		{"run", "--target SERVICE [flags]", "run some services over NATS and Postgres", runCommand},
		{"wallet", "COMMAND", "keep accounts, send coins", walletCommand},
		{"identity", "COMMAND", "keys of identities, and what they signed", identityCommand},
		{"config", "check|print|diff", "read settings as a node would", configCommand},
		{"replay", "[flags] DIR|state.sql", "feed a recorded network through the node and compare", replayCommand},
		{"migrate", "--database URL", "bring the schemas of a database up to date", migrateCommand},
		{"post", "COMMAND", "make, prove and verify proof of space data by hand", postCommand},
		{"version", "", "print the version", versionCommand},
	}
}

// env is what a command may use of the process.
type env struct {
	stdout, stderr io.Writer
	// terminal tells whether stderr is a terminal.
	terminal bool
}

// Main runs the program and returns its exit code.
func Main(args []string, stdout, stderr *os.File) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second signal ends us at once
	}()
	return run(ctx, &env{stdout: stdout, stderr: stderr, terminal: isTerminal(stderr)}, args)
}

// errUsage marks errors that are followed by a hint at --help.
type errUsage struct{ error }

func usagef(format string, args ...any) error { return errUsage{fmt.Errorf(format, args...)} }

func run(ctx context.Context, e *env, args []string) int {
	if len(args) == 0 {
		help(e.stderr)
		return exitError
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		help(e.stdout)
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return finish(ctx, e, c, args[1:])
		}
	}
	fmt.Fprintf(e.stderr, "smeshery: there is no command %q; see smeshery help\n", args[0])
	return exitError
}

// subcommand runs one of a command's commands.
func subcommand(ctx context.Context, e *env, name string, list []command, args []string) (int, error) {
	if len(args) > 0 {
		for _, c := range list {
			if c.name == name+" "+args[0] {
				return c.run(ctx, e, args[1:])
			}
		}
	}
	if len(args) == 0 || strings.TrimLeft(args[0], "-") == "help" || args[0] == "-h" {
		fmt.Fprintf(e.stdout, "Usage: smeshery %s COMMAND\n\n", name)
		for _, c := range list {
			fmt.Fprintf(e.stdout, "  %-34s %s\n", strings.TrimSpace(c.name+" "+c.arguments), c.summary)
		}
		return exitOK, nil
	}
	return exitError, usagef("there is no command %q", args[0])
}

func finish(ctx context.Context, e *env, c command, args []string) int {
	code, err := c.run(ctx, e, args)
	var usage errUsage
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		code = exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(e.stderr, "smeshery %s: %v; see smeshery %s --help\n", c.name, err, c.name)
		code = exitError
	case ctx.Err() != nil:
		fmt.Fprintf(e.stderr, "smeshery %s: interrupted; the same command goes on where this one stopped\n", c.name)
		code = exitInterrupted
	default:
		fmt.Fprintf(e.stderr, "smeshery %s: %v\n", c.name, err)
		code = exitError
	}
	return code
}

func help(w io.Writer) {
	fmt.Fprintf(w, "Smeshery runs Spacemesh identities.\n\nUsage: smeshery COMMAND\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-34s %s\n", strings.TrimSpace(c.name+" "+c.arguments), c.summary)
	}
	fmt.Fprintf(w, "\nsmeshery COMMAND --help lists the flags of a command.\n")
}

// flags makes the flag set of a command, which prints nothing by itself.
func flags(e *env, c, arguments, text string) *flag.FlagSet {
	fs := flag.NewFlagSet(c, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {
		fmt.Fprintf(e.stdout, "Usage: smeshery %s %s\n\n%s\n\nFlags:\n", c, arguments, text)
		fs.VisitAll(func(f *flag.Flag) {
			name, usage := flag.UnquoteUsage(f)
			line := "  --" + f.Name
			if name != "" {
				line += " " + name
			}
			if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
				usage += " (default " + f.DefValue + ")"
			}
			fmt.Fprintf(e.stdout, "%-30s %s\n", line, usage)
		})
	}
	return fs
}

// parse takes flags before, between and after arguments.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var positional []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage{err}
		}
		if fs.NArg() == 0 {
			return positional, nil
		}
		positional = append(positional, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// logger writes to stderr from a level on.
func logger(e *env, level slog.Level) *slog.Logger {
	cfg := telemetry.DefaultLogConfig()
	cfg.Level = level
	return telemetry.NewLogger(e.stderr, cfg)
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != ""
}

func versionCommand(_ context.Context, e *env, args []string) (int, error) {
	fs := flags(e, "version", "", "Prints the version.")
	if rest, err := parse(fs, args); err != nil || len(rest) > 0 {
		if err == nil {
			err = usagef("it takes no arguments")
		}
		return exitError, err
	}
	fmt.Fprintln(e.stdout, "smeshery "+version())
	return exitOK, nil
}

// version is what the Go tools know of the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
