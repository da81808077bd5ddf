package check

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Server is a Prometheus that Start started.
type Server struct {
	// URL is its address.
	URL string

	command *exec.Cmd
	ended   chan struct{}
}

// find looks for a program of the package prometheus.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is missing; run make setup: %w", name, err)
	}
	return path, nil
}

const config = `global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files: [%q]
scrape_configs:
  - job_name: smeshery
    static_configs:
      - targets: [%s]
`

// Start starts a Prometheus that keeps its data in dir, evaluates the rules of a
// file and scrapes targets (host:port) every second. It is the head of its own
// process group.
func Start(ctx context.Context, dir, rules string, targets ...string) (*Server, error) {
	program, err := find("prometheus")
	if err != nil {
		return nil, err
	}
	if rules, err = filepath.Abs(rules); err != nil {
		return nil, err
	}
	quoted := make([]string, len(targets))
	for i, t := range targets {
		quoted[i] = fmt.Sprintf("%q", t)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, rules, strings.Join(quoted, ", ")), 0o600); err != nil {
		return nil, err
	}
	s := &Server{ended: make(chan struct{})}
	s.command = exec.CommandContext(context.WithoutCancel(ctx), program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--log.level=info")
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := s.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start prometheus: %w", err)
	}
	address := make(chan string, 1)
	go s.watch(log, address)
	select {
	case a := <-address:
		s.URL = "http://" + a
	case <-s.ended:
		return nil, errors.New("prometheus ended before it listened")
	case <-ctx.Done():
		s.Stop()
		return nil, context.Cause(ctx)
	}
	if err := s.ready(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

var listening = regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:[0-9]+)`)

// watch finds the address in the log, reads the log to its end, and waits for the
// process.
func (s *Server) watch(log io.Reader, address chan<- string) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			select {
			case address <- m[1]:
			default:
			}
		}
	}
	_ = s.command.Wait()
	close(s.ended)
}

func (s *Server) ready(ctx context.Context) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		if _, err := get(ctx, s.URL+"/-/ready"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.ended:
			return errors.New("prometheus ended")
		case <-poll.C:
		}
	}
}

// Stop ends the process and waits for it.
func (s *Server) Stop() {
	_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGTERM)
	late := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	<-s.ended
}

// Promtool runs promtool, and answers what it prints with an error if it fails.
func Promtool(ctx context.Context, args ...string) (string, error) {
	program, err := find("promtool")
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	return string(out), err
}
