package split

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
)

// natsServer makes the process of a nats-server, and its URL.
func natsServer(ctx context.Context, dir string) (*Process, string, error) {
	path, err := exec.LookPath("nats-server")
	if err != nil {
		for _, p := range []string{"/usr/sbin/nats-server", "/usr/local/bin/nats-server"} {
			if _, missing := os.Stat(p); missing == nil {
				path, err = p, nil
			}
		}
	}
	if err != nil {
		return nil, "", errors.New("nats-server is missing; install the package nats-server, or run make setup")
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, "", err
	}
	config := fmt.Sprintf(`listen: %q
max_payload: %d
max_pending: %d
jetstream { store_dir: %q }
`, address, bus.MaxPayload, 8*bus.MaxPayload, filepath.Join(dir, "nats-server"))
	file := filepath.Join(dir, "nats-server.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, "", err
	}
	return &Process{Name: "nats-server", Path: path, Args: []string{"-c", file}, Log: logFile(dir, "nats-server")}, "nats://" + address, nil
}

// freeAddress is one that nobody listens on now.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// connectLimit is how long a nats-server may take to start.
const connectLimit = 20 * time.Second

// connect connects to a server that is about to start.
func connect(ctx context.Context, url string) (*bus.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	for {
		c, err := bus.Connect(bus.Config{Service: "view", URL: url}, bus.Deps{})
		if err == nil {
			if err = bus.EnsureStreams(ctx, c, 1); err == nil {
				return c, nil
			}
			c.Close()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("nats-server does not start: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func logFile(dir, name string) string { return filepath.Join(dir, "logs", name+".log") }
