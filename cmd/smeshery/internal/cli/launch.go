package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/datadir"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/nodeconfig"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
)

// stopLimit is how long stopping may take; what runs then is ended hard.
const stopLimit = 4 * time.Second

// nodeConfig is a node that takes part, as settings describe it.
func nodeConfig(cfg *nodeconfig.Config, log *slog.Logger) (node.Config, error) {
	params, err := cfg.Params()
	if err != nil {
		return node.Config{}, err
	}
	var coinbase wire.Address
	if text := cfg.Text("smeshing.smeshing-coinbase"); text != "" {
		if coinbase, err = address.Parse(params.HRP, text); err != nil {
			return node.Config{}, fmt.Errorf("--coinbase: %w", err)
		}
	}
	dir := cfg.Text("main.data-folder")
	seed, err := seedOf(cfg, dir)
	if err != nil {
		return node.Config{}, err
	}
	identities, poetDir, postDir := node.Directories(dir)
	if cfg.Given("smeshing.smeshing-opts.smeshing-opts-datadir") {
		postDir = cfg.Text("smeshing.smeshing-opts.smeshing-opts-datadir")
	}
	poets, listen, err := poetsOf(cfg)
	if err != nil {
		return node.Config{}, err
	}
	return node.Config{
		DataDir: dir, DatabaseURL: cfg.Text("smeshery.database"), NATSURL: cfg.Text("smeshery.nats"),
		Targets: nodeconfig.Unique(cfg.Strings("smeshery.targets")), Network: params, Now: time.Now, Seed: seed, Log: log,
		Live: &node.Live{
			Standalone: cfg.Bool("main.standalone"), Name: cfg.Text("smeshery.name"), Identities: identities, Coinbase: coinbase,
			Units: uint32(cfg.Uint("smeshing.smeshing-opts.smeshing-opts-numunits")),
			PoETs: poets, PoetListen: listen, PoetRPC: cfg.Text("smeshery.poet-rpc-listener"), PoetDir: poetDir, PostDir: postDir,
			PostServices: postServices(cfg), API: apiConfig(cfg), Admin: adminListener(cfg), Version: version(),
		},
	}, nil
}

// seedOf is the directory's, where an activation keeps to it over restarts.
func seedOf(cfg *nodeconfig.Config, dir string) ([]byte, error) {
	if targets := cfg.Strings("smeshery.targets"); len(targets) > 0 && !slices.Contains(targets, bus.ActivationService) {
		return nil, nil
	}
	return datadir.Seed(dir, rand.Reader)
}

// poetsOf are the PoETs to register at, and where the one of this network listens.
func poetsOf(cfg *nodeconfig.Config) (urls []string, listen string, err error) {
	for _, p := range cfg.Poets() {
		urls = append(urls, p.Address)
	}
	listen = cfg.Text("smeshery.poet-listener")
	if !cfg.Bool("main.standalone") {
		return urls, listen, nil
	}
	if listen != "" && !strings.HasSuffix(listen, ":0") {
		_, port, err := net.SplitHostPort(listen)
		return []string{"http://127.0.0.1:" + port}, listen, err
	}
	u, err := url.Parse(urls[0])
	if err != nil || u.Host == "" {
		return nil, "", fmt.Errorf("--poet-servers: %q is no URL such as http://127.0.0.1:10010", urls[0])
	}
	return urls, net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")), nil
}

// postServices are the listeners for post-services; the one with TLS is the API's
// unless its services are theirs.
func postServices(cfg *nodeconfig.Config) activation.PostServices {
	out := activation.PostServices{Plain: cfg.Text("api.grpc-post-listener")}
	if forPost(cfg) {
		out.TLS, out.CAFile = cfg.Text("api.grpc-tls-listener"), cfg.Text("api.grpc-tls-ca-cert")
		out.CertFile, out.KeyFile = cfg.Text("api.grpc-tls-cert"), cfg.Text("api.grpc-tls-key")
	}
	return out
}

func forPost(cfg *nodeconfig.Config) bool {
	return !cfg.Given("api.grpc-tls-services") || slices.Contains(cfg.Strings("api.grpc-tls-services"), "post")
}

func apiConfig(cfg *nodeconfig.Config) apigateway.Config {
	api := apigateway.DefaultConfig()
	for path, to := range map[string]*string{
		"api.grpc-public-listener": &api.PublicListener, "api.grpc-private-listener": &api.PrivateListener,
		"api.grpc-tls-listener": &api.TLSListener, "api.grpc-json-listener": &api.JSONListener,
		"api.grpc-tls-ca-cert": &api.TLSCA, "api.grpc-tls-cert": &api.TLSCert, "api.grpc-tls-key": &api.TLSKey,
	} {
		*to = cfg.Text(path)
	}
	for path, to := range map[string]*[]string{
		"api.publicservices": &api.PublicServices, "api.privateservices": &api.PrivateServices, "api.grpc-tls-services": &api.TLSServices,
		"api.grpc-cors-allowed-origins": &api.CORSOrigins,
	} {
		// Our defaults know services that go-spacemesh's do not.
		if cfg.Given(path) {
			*to = nodeconfig.Unique(cfg.Strings(path))
		}
	}
	if forPost(cfg) {
		api.TLSListener = ""
	}
	api.ReceiveSize, api.SendSize = int(cfg.Int("api.grpc-recv-msg-size")), int(cfg.Int("api.grpc-send-msg-size"))
	api.SmesherStreamInterval = cfg.Duration("api.smesherstreaminterval")
	api.CheckpointDir = filepath.Join(cfg.Text("main.data-folder"), "checkpoint")
	return api
}

// adminListener is where metrics are: where go-spacemesh would have them if they are
// switched on as there.
func adminListener(cfg *nodeconfig.Config) string {
	if cfg.Bool("main.metrics") && !cfg.Given("smeshery.metrics-listener") {
		return fmt.Sprintf("0.0.0.0:%d", cfg.Int("main.metrics-port"))
	}
	return cfg.Text("smeshery.metrics-listener")
}

// maxLog is how long a log may be when a node starts, before it is put aside.
const maxLog = 64 << 20

// openLog makes the logger of a node that has a file for it.
func openLog(cfg *nodeconfig.Config) (log *slog.Logger, path string, file io.Closer, err error) {
	path = cmp.Or(cfg.Text("smeshery.log-file"), filepath.Join(cfg.Text("main.data-folder"), datadir.LogFile))
	if st, err := os.Stat(path); err == nil && st.Size() > maxLog {
		_ = os.Rename(path, path+".1")
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", nil, fmt.Errorf("--log-file: %w", err)
	}
	return newLog(f, cfg), path, f, nil
}

func newLog(w io.Writer, cfg *nodeconfig.Config) *slog.Logger {
	settings := telemetry.DefaultLogConfig()
	if cfg.Text("logging.log-encoder") == "json" {
		settings.Format = "json"
	}
	if err := settings.Level.UnmarshalText([]byte(cfg.Text("smeshery.log-level"))); err != nil {
		settings.Level = slog.LevelError // dpanic, panic and fatal
	}
	return telemetry.NewLogger(w, settings)
}

// checkPorts tells of addresses that something else listens on, by the flag that
// moves ours.
func checkPorts(ctx context.Context, cfg *nodeconfig.Config, metrics ...string) error {
	_, poet, err := poetsOf(cfg)
	if err != nil {
		return err
	}
	var found nodeconfig.Problems
	wanted := []struct{ path, address string }{
		{"api.grpc-public-listener", cfg.Text("api.grpc-public-listener")},
		{"api.grpc-private-listener", cfg.Text("api.grpc-private-listener")},
		{"api.grpc-tls-listener", cfg.Text("api.grpc-tls-listener")},
		{"api.grpc-json-listener", cfg.Text("api.grpc-json-listener")},
		{"smeshery.poet-listener", poet},
		{"smeshery.poet-rpc-listener", cfg.Text("smeshery.poet-rpc-listener")},
	}
	for _, m := range metrics {
		wanted = append(wanted, struct{ path, address string }{"smeshery.metrics-listener", m})
	}
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for _, w := range wanted {
		if w.address == "" {
			continue
		}
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", w.address)
		if err != nil {
			found = append(found, nodeconfig.Problem{Path: w.path, Text: fmt.Sprintf("cannot listen: %v; name another address", err)})
			continue
		}
		held = append(held, l)
	}
	if len(found) > 0 {
		return found
	}
	return nil
}

// runNode waits until the node or the context ends, and stops the node.
func runNode(ctx context.Context, n *node.Node, show func(ctx context.Context) error) error {
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	shown, failed := make(chan struct{}), error(nil)
	go func() {
		defer close(shown)
		failed = show(running)
	}()
	var err error
	select {
	case <-ctx.Done():
	case <-n.Failed():
		err = n.Err()
	case <-shown:
		err = failed
	}
	cancel(err)
	<-shown
	stopping, done := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer done()
	n.Stop(stopping)
	return err
}
