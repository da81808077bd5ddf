package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/store/postgres"
)

// fast is for tests that do not crash the machine.
var fast = map[string]string{"shared_buffers": "16MB", "fsync": "off"}

// childDir makes the test binary act as a smeshery that runs a server there.
const childDir = "SMESHERY_TEST_POSTGRES_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		s, err := postgres.Start(context.Background(), postgres.Config{Dir: dir, Settings: fast})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("ready", s.URL(s.Database()))
		select {} // until killed
	}
	os.Exit(m.Run())
}

func start(t *testing.T, dir string) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), postgres.Config{Dir: dir, Settings: fast})
	require.NoError(t, err)
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func query[T any](t *testing.T, url, setup, sql string) (v T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), setup)
	require.NoError(t, err)
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&v))
	return v
}

// child starts a second process with a server on dir and returns its URL.
func child(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		// The server ends after its owner, and writes until then.
		require.Eventually(t, func() bool {
			_, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid"))
			return errors.Is(err, os.ErrNotExist)
		}, 20*time.Second, 10*time.Millisecond)
		if short, err := os.ReadFile(filepath.Join(dir, "socket")); err == nil {
			_ = os.RemoveAll(string(short)) // nobody comes back for it
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	u, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	require.True(t, ok, line)
	return cmd, u
}

func TestKeepsDataOverRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pg")
	s := start(t, dir)
	url := s.URL(s.Database())
	require.Equal(t, 1, query[int](t, url, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1) RETURNING n"))
	s.Stop(t.Context())
	require.NoError(t, s.Err())

	s = start(t, dir)
	require.Equal(t, 1, query[int](t, s.URL(s.Database()), "", "SELECT n FROM t"))
}

func TestOpensNoPortAndIsDurableByDefault(t *testing.T) {
	s, err := postgres.Start(t.Context(), postgres.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { s.Stop(context.Background()) })
	url := s.URL(s.Database())
	require.Empty(t, query[string](t, url, "", "SHOW listen_addresses"))
	require.Equal(t, "on", query[string](t, url, "", "SHOW synchronous_commit"))
	require.Equal(t, "on", query[string](t, url, "", "SHOW fsync"))
	require.Equal(t, "on", query[string](t, url, "", "SHOW data_checksums"))

	st, err := os.Stat(s.SocketDir())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), st.Mode().Perm())
}

func TestRefusesASecondProcess(t *testing.T) {
	dir := t.TempDir()
	cmd, _ := child(t, dir)
	_, err := postgres.Start(t.Context(), postgres.Config{Dir: dir, Settings: fast})
	require.ErrorIs(t, err, postgres.ErrInUse)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, fmt.Sprint(cmd.Process.Pid))
}

func TestTakesOverAfterKillNine(t *testing.T) {
	dir := t.TempDir()
	cmd, url := child(t, dir)
	require.Equal(t, 7, query[int](t, url, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (7) RETURNING n"))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()

	s := start(t, dir)
	require.Equal(t, 7, query[int](t, s.URL(s.Database()), "", "SELECT n FROM t"))
}

func TestTheServerEndsWithAKilledOwner(t *testing.T) {
	dir := t.TempDir()
	cmd, u := child(t, dir)
	conn, err := pgx.Connect(t.Context(), u)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	// The server's fast shutdown ends our session; nobody else asks it to.
	require.Eventually(t, func() bool {
		_, err := conn.Exec(context.Background(), "SELECT 1")
		return err != nil
	}, 20*time.Second, 10*time.Millisecond)
}

func TestDiscardsAHalfMadeDatabase(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"data", "data.new"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name, "base"), 0o700))
	}
	s := start(t, dir)
	require.Equal(t, 1, query[int](t, s.URL(s.Database()), "", "SELECT 1"))
}

func TestClearsAStalePidFile(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	s.Stop(t.Context())
	// The pid of a process that lives and has nothing to do with it.
	pid := fmt.Sprintf("%d\n%s/data\n", os.Getpid(), dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(pid), 0o644))
	s = start(t, dir)
	require.Equal(t, 1, query[int](t, s.URL(s.Database()), "", "SELECT 1"))
}

func TestShortensTheSocketPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 25))
	s := start(t, dir)
	require.Equal(t, 1, query[int](t, s.URL(s.Database()), "", "SELECT 1"))
	require.Less(t, len(s.SocketDir()), 60)
	u, err := url.Parse(s.URL("x"))
	require.NoError(t, err)
	require.Equal(t, s.SocketDir(), u.Query().Get("host"))
	s.Stop(t.Context())
	require.NoDirExists(t, s.SocketDir())
}

func TestRunsBelowADirectoryThatOnlyWeMayEnter(t *testing.T) {
	private := filepath.Join(t.TempDir(), "private")
	require.NoError(t, os.Mkdir(private, 0o700))
	dir := filepath.Join(private, "pg")
	s := start(t, dir)
	require.Equal(t, 1, query[int](t, s.URL(s.Database()), "", "SELECT 1"))
	s.Stop(t.Context())
	require.NoError(t, s.Err())
	s = start(t, dir)
	require.Equal(t, 1, query[int](t, s.URL(s.Database()), "CHECKPOINT", "SELECT 1"))
}

func TestSaysWhatToInstall(t *testing.T) {
	_, err := postgres.Start(t.Context(), postgres.Config{Dir: t.TempDir(), BinDir: t.TempDir()})
	require.ErrorIs(t, err, postgres.ErrNotInstalled)
	require.ErrorContains(t, err, "Debian package postgresql")
}

func TestSaysWhyTheServerDoesNotStart(t *testing.T) {
	_, err := postgres.Start(t.Context(), postgres.Config{Dir: t.TempDir(), Settings: map[string]string{"shared_buffers": "lots"}})
	require.ErrorContains(t, err, "shared_buffers")
}

func TestTellsWhenTheServerDies(t *testing.T) {
	s := start(t, t.TempDir())
	conn, err := pgx.Connect(t.Context(), s.URL(s.Database()))
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "COPY (SELECT 1) TO PROGRAM 'kill -QUIT $(head -1 postmaster.pid)'")
	_ = err // the session may end before it answers
	<-s.Done()
}
