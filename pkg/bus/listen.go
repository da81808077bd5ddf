package bus

import (
	"fmt"
	"net"
	"strconv"

	natsd "github.com/nats-io/nats-server/v2/server"
)

// setListen opens the port of host:port; port 0 lets the system choose.
func setListen(opts *natsd.Options, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("nats listen address %q: %w", addr, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("nats listen address %q: %w", addr, err)
	}
	opts.Host, opts.Port = host, int(n)
	if n == 0 {
		opts.Port = natsd.RANDOM_PORT
	}
	return nil
}
