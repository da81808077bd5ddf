package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/live"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/split"
	"github.com/smeshery/smeshery/pkg/bus"
)

const runSplitText = `Usage: smeshery run-split [flags]

Runs the network of smeshery standalone as one process a service, with a Postgres
and a nats-server of the distribution's packages: two activations that share the
identities, two consensus and two state processes of which one stands by, and one
of every other service. A process that ends is started again. Ctrl-C stops all.

Flags are those of smeshery standalone. The processes' metrics are at ports in a row,
from that of --metrics-listener on (default 10100), and their logs in logs/ of the data directory.
`

// copies is how many processes a service has.
func copies(service string) int {
	switch service {
	case bus.ActivationService, bus.ConsensusService, bus.StateService:
		return 2
	}
	return 1
}

func runSplitCommand(ctx context.Context, e *env, args []string) (int, error) {
	cfg, rest, err := resolveArgs(e, args, runSplitText)
	switch {
	case err != nil || cfg == nil:
		return exitError * bit(err != nil), err
	case len(rest) > 0:
		return exitError, usagef("it takes no arguments, but there is %q", rest[0])
	}
	if cfg, err = ownNetwork(cfg); err != nil {
		return exitError, err
	}
	var services []split.Service
	processes := 0
	for _, name := range node.Services() {
		services = append(services, split.Service{Name: name, Copies: copies(name)})
		processes += copies(name)
	}
	metrics, err := metricsListeners(cfg, processes)
	if err != nil {
		return exitError, err
	}
	dir, err := datadir.Prepare(cfg, time.Now(), rand.Reader, func(cfg *nodeconfig.Config) error {
		return checkPorts(ctx, cfg, metrics...)
	})
	if err != nil {
		return exitError, err
	}
	defer dir.Close()
	if dir.Config, err = dir.Config.With("main.data-folder", dir.Path); err != nil {
		return exitError, err
	}
	return runSplit(ctx, e, dir, services, metrics)
}

func runSplit(ctx context.Context, e *env, dir *datadir.Dir, services []split.Service, metrics []string) (int, error) {
	log, logPath, file, err := openLog(dir.Config)
	if err != nil {
		return exitError, err
	}
	defer file.Close()
	nc, err := nodeConfig(dir.Config, log)
	if err != nil {
		return exitError, err
	}
	program, err := os.Executable()
	if err != nil {
		return exitError, err
	}
	if err := hand(dir); err != nil {
		return exitError, err
	}
	introduce(e, dir, &nc, logPath)
	first, others := metrics[0], len(metrics)-1
	s, err := split.Start(ctx, split.Config{
		Dir: dir.Path, Program: program, Services: services, Schemas: node.Schemas(), Log: log,
		Own: func(string) []string {
			next := metrics[0]
			metrics = metrics[1:]
			return []string{"--metrics-listener", next}
		},
		Args: []string{"--config", dir.In(handedFile), "--data-dir", dir.Path},
		Tell: func(format string, args ...any) { fmt.Fprintf(e.stderr, "smeshery run-split: "+format+"\n", args...) },
	})
	if err != nil {
		return exitError, err
	}
	defer s.Stop(context.WithoutCancel(ctx))
	fmt.Fprintf(e.stdout, "metrics    http://%s and the next %d ports\n", first, others)
	fmt.Fprintf(e.stdout, "API        %s\nPoET       http://%s\nNATS       %s\ndatabase   %s\n", nc.Live.API.PublicListener, nc.Live.PoetListen, s.NATS, s.URL)
	w := live.NewWatcher(live.Config{
		DB: s.DB, Bus: s.Bus, Network: &nc.Network, Coinbase: dir.Coinbase,
		CoinbaseText: dir.Config.Text("smeshing.smeshing-coinbase"), Now: time.Now,
	})
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(nil) })()
	go func() {
		select {
		case <-s.Done():
			cancel(errors.New("the database ended"))
		case <-running.Done():
		}
	}()
	err = live.Show(running, w, e.screen())
	if cause := context.Cause(running); err == nil && ctx.Err() == nil && cause != nil {
		err = cause
	}
	fmt.Fprint(e.stdout, "\n", s.Table())
	return exitError * bit(err != nil), err
}

// splitMetrics is where the processes' metrics begin if nothing is said.
const splitMetrics = "127.0.0.1:10100"

// metricsListeners are n addresses with ports in a row.
func metricsListeners(cfg *nodeconfig.Config, n int) ([]string, error) {
	first := splitMetrics
	if cfg.Given("smeshery.metrics-listener") {
		first = cfg.Text("smeshery.metrics-listener")
	}
	host, text, err := net.SplitHostPort(first)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listener: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil || port+n > 65536 {
		return nil, fmt.Errorf("--metrics-listener: no %d ports from %q on", n, text)
	}
	out := make([]string, n)
	for i := range out {
		at := port
		if port != 0 { // 0 lets the system choose
			at += i
		}
		out[i] = net.JoinHostPort(host, strconv.Itoa(at))
	}
	return out, nil
}

// handedFile is the configuration of all processes.
const handedFile = "split.json"

func hand(dir *datadir.Dir) error {
	raw, err := dir.Config.Hand()
	if err != nil {
		return err
	}
	return os.WriteFile(dir.In(handedFile), raw, 0o600)
}
