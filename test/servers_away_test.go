package test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store/postgres"
)

// TestServersGoAway takes a network's NATS and then its Postgres away for longer than a
// layer, both while identities register at the PoET and while they vote. The log says
// what it waits for; afterwards the network goes on, and nobody equivocates.
func TestServersGoAway(t *testing.T) {
	dir := dataDir(t)
	require.NoError(t, os.Chmod(dir, 0o711))
	db := &outerPostgres{t: t, cfg: postgres.Config{Dir: filepath.Join(dir, "pg")}}
	db.start()
	nats := &outerNATS{t: t, dir: t.TempDir(), address: port(t)}
	nats.start()
	url := db.server.URL(db.server.Database())
	out, err := smeshery(t, "migrate", "--database", url).CombinedOutput()
	require.NoError(t, err, "%s", out)
	s := newStandalone(t, "--identities", "3", "--layers-per-epoch", "6", "--phase-shift", "9s", "--nats", "nats://"+nats.address, "--database", url)
	s.start()
	s.away(nats, 2, "nats is away", "nats is back")
	s.away(db, 5, "postgres is away", "postgres is back")
	s.answering()
	const perEpoch, first = 6, 12
	s.away(nats, first+1, "nats is away", "nats is back")
	s.away(db, first+4, "postgres is away", "postgres is back")
	s.answering()
	back := s.status()
	s.healthy(4)
	require.Zero(t, s.malicious())
	for epoch := uint32(1); epoch < s.status().Current/perEpoch; epoch++ {
		require.Len(t, s.smeshersIn(epoch), 3, "epoch %d", epoch)
	}
	t.Logf("all is back in layer %d, healthy in layer %d", back.Current, s.status().Current)
	require.Less(t, s.interrupt(), 5*time.Second)
}

// outer is a server outside of the network's process.
type outer interface {
	start()
	stop()
}

// away stops a server when a layer comes, starts it again after more than a layer, and
// wants both in the log.
func (s *standalone) away(server outer, layer uint32, away, back string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.status().Current >= layer }, time.Minute, 20*time.Millisecond)
	since := len(s.logged())
	server.stop()
	ended := time.After(quickLayer + quickLayer/3)
	s.says(since, away)
	<-ended
	server.start()
	s.says(since, back)
}

func (s *standalone) logged() string {
	raw, err := os.ReadFile(filepath.Join(s.dir, "smeshery.log"))
	require.NoError(s.t, err)
	return string(raw)
}

// says waits until a text is in the log, after what it had.
func (s *standalone) says(since int, text string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		select {
		case <-s.drained:
			s.t.Fatalf("it ended:\n%s", s.out.String())
		default:
		}
		return strings.Contains(s.logged()[since:], text)
	}, 30*time.Second, 20*time.Millisecond, "%s", text)
}

type outerPostgres struct {
	t      *testing.T
	cfg    postgres.Config
	server *postgres.Server
}

func (p *outerPostgres) start() {
	p.t.Helper()
	server, err := postgres.Start(p.t.Context(), p.cfg)
	require.NoError(p.t, err)
	p.server = server
}

func (p *outerPostgres) stop() { p.server.Stop(p.t.Context()) }

type outerNATS struct {
	t       *testing.T
	dir     string
	address string
	cmd     *exec.Cmd
}

func (n *outerNATS) start() {
	n.t.Helper()
	path, err := exec.LookPath("nats-server")
	if err != nil {
		path = "/usr/sbin/nats-server"
	}
	config := filepath.Join(n.dir, "nats.conf")
	text := fmt.Sprintf("listen: %q\nmax_payload: %d\nmax_pending: %d\njetstream { store_dir: %q }\n", n.address, bus.MaxPayload, 8*bus.MaxPayload, n.dir)
	require.NoError(n.t, os.WriteFile(config, []byte(text), 0o600))
	n.cmd = exec.CommandContext(n.t.Context(), path, "-c", config)
	require.NoError(n.t, n.cmd.Start())
	require.Eventually(n.t, func() bool {
		c, err := net.Dial("tcp", n.address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
}

func (n *outerNATS) stop() {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
}
