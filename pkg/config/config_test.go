package config_test

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/config"
)

type gossip struct {
	Listen   netip.AddrPort `usage:"where peers connect"`
	Peers    []string
	MaxPeers uint16
	Wait     time.Duration
	Score    float64
}

func (g gossip) Validate() error {
	var errs []error
	if g.MaxPeers == 0 {
		errs = append(errs, errors.New("max-peers: want at least 1"))
	}
	if g.Wait < 0 {
		errs = append(errs, errors.New("wait: negative"))
	}
	return errors.Join(errs...)
}

type common struct {
	DataDir string
}

type root struct {
	common  `config:"-"`
	Common  common `config:"base"`
	Gossip  gossip
	APIPort int8 `config:"api-port"`
	Debug   bool
	Poets   map[string]poet
	Tiers   []poet
	Derived func() `config:"-"`
}

type poet struct {
	URL string
}

func (p *poet) Validate() error {
	if p.URL == "bad" {
		return errors.New("bad url")
	}
	return nil
}

func defaults() root {
	return root{Gossip: gossip{
		Listen: netip.MustParseAddrPort("0.0.0.0:7513"), Peers: []string{"a"}, MaxPeers: 10, Wait: time.Second,
	}}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func problems(t *testing.T, err error) []string {
	t.Helper()
	var p config.Problems
	require.ErrorAs(t, err, &p)
	return strings.Split(p.Error(), "\n")
}

func TestSourcesOverrideEachOther(t *testing.T) {
	cfg := defaults()
	set := flag.NewFlagSet("smeshery", flag.ContinueOnError)
	flags, err := config.Flags(set, &cfg)
	require.NoError(t, err)
	require.NoError(t, set.Parse([]string{"--gossip.wait=3s", "--debug", "--gossip.peers", "x, y", "rest"}))
	require.NoError(t, config.Load(&cfg, config.Sources{
		File: write(t, `
base: {data-dir: /file}
gossip:
  wait: 1m
  max-peers: 20
  score: 0.5
  listen: null
poets:
  one: {url: "http://one"}
tiers: [{url: t}]
`),
		Environ: []string{"SMESHERY_GOSSIP_WAIT=2m", "SMESHERY_GOSSIP_MAX_PEERS=30", "OTHER=1", "SMESHERY_VERSION=9"},
		Allowed: []string{"SMESHERY_VERSION"},
		Flags:   flags,
	}))
	want := defaults()
	want.Common.DataDir = "/file"
	want.Gossip.Wait, want.Gossip.MaxPeers, want.Gossip.Score, want.Gossip.Peers = 3*time.Second, 30, 0.5, []string{"x", "y"}
	want.Debug = true
	want.Poets = map[string]poet{"one": {"http://one"}}
	want.Tiers = []poet{{"t"}}
	require.Equal(t, want, cfg)
	require.Equal(t, []string{"rest"}, set.Args())
}

func TestAJSONFileWillDo(t *testing.T) {
	cfg := defaults()
	require.NoError(t, config.Load(&cfg, config.Sources{File: write(t, `{"gossip": {"peers": [], "listen": "[::1]:1"}, "api-port": -1}`)}))
	require.Empty(t, cfg.Gossip.Peers)
	require.Equal(t, "[::1]:1", cfg.Gossip.Listen.String())
	require.EqualValues(t, -1, cfg.APIPort)
}

func TestAllProblemsAtOnceWithTheirPlaces(t *testing.T) {
	cfg := defaults()
	path := write(t, `
gossip:
  max-pers: 3
  wait: soon
  listen: [1]
  wait: 1s
debug: yes
api-port: 300
poets: {one: {ulr: x}}
base: text
zzz: 1
`)
	set := flag.NewFlagSet("smeshery", flag.ContinueOnError)
	flags, err := config.Flags(set, &cfg)
	require.NoError(t, err)
	require.NoError(t, set.Parse([]string{"--gossip.score=high"}))
	got := problems(t, config.Load(&cfg, config.Sources{File: path, Environ: []string{"SMESHERY_DEBUGG=true", "SMESHERY_API_PORT=x"}, Flags: flags}))
	require.Equal(t, []string{
		path + ":3:3: gossip.max-pers: no such setting; did you mean max-peers?",
		path + `:4:9: gossip.wait: "soon" is not a duration such as 10s`,
		path + ":5:11: gossip.listen: want a text",
		path + ":6:3: gossip.wait: appears twice",
		path + `:7:8: debug: "yes" is not true or false`,
		path + `:8:11: api-port: "300" is not a whole number of 8 bits`,
		path + ":9:15: poets.one.ulr: no such setting",
		path + ":10:7: base: want a group of settings",
		path + ":11:1: zzz: no such setting",
		`$SMESHERY_API_PORT: api-port: "x" is not a whole number of 8 bits`,
		"$SMESHERY_DEBUGG: no such setting; did you mean $SMESHERY_DEBUG?",
		`--gossip.score: "high" is not a number`,
	}, got)
}

func TestValidationNamesThePath(t *testing.T) {
	cfg := defaults()
	err := config.Load(&cfg, config.Sources{File: write(t, `
gossip: {max-peers: 0, wait: -1s}
poets: {b: {url: good}, c: {url: bad}}
tiers: [{url: good}, {url: bad}]
`)})
	require.Equal(t, []string{
		"gossip: max-peers: want at least 1",
		"gossip: wait: negative",
		"poets.c: bad url",
		"tiers[1]: bad url",
	}, problems(t, err))
}

func TestAFileThatIsNone(t *testing.T) {
	cfg := defaults()
	require.ErrorIs(t, config.Load(&cfg, config.Sources{File: "missing.yaml"}), os.ErrNotExist)
	for _, text := range []string{"a: [", "--- {}\n--- {}\n", "- 1", "{? [1] : 2}", "gossip: &a {}\nbase: *a"} {
		require.NotEmpty(t, problems(t, config.Load(&cfg, config.Sources{File: write(t, text)})), text)
	}
	require.NoError(t, config.Load(&cfg, config.Sources{File: write(t, "# nothing\n")}))
	require.Equal(t, defaults(), cfg)
}

func TestAConfigThatCannotBeRead(t *testing.T) {
	require.Error(t, config.Load(defaults(), config.Sources{}))
	require.ErrorContains(t, config.Load(&struct{ C chan int }{}, config.Sources{}), "cannot be read")
	require.ErrorContains(t, config.Load(&struct {
		AB int `config:"a-b"`
		A  struct{ B int }
	}{}, config.Sources{}), "share the variable SMESHERY_A_B")
}

func TestSettingsAndDiff(t *testing.T) {
	cfg, base := defaults(), defaults()
	cfg.Gossip.Wait = time.Minute
	diff, err := config.Diff(&cfg, &base)
	require.NoError(t, err)
	require.Equal(t, []config.Setting{{Path: "gossip.wait", Env: "SMESHERY_GOSSIP_WAIT", Value: "1m0s"}}, diff)
	all, err := config.Settings(&cfg)
	require.NoError(t, err)
	require.Len(t, all, 8)
	require.Equal(t, "where peers connect", all[3].Usage)
}

func FuzzFile(f *testing.F) {
	f.Add("gossip: {wait: 1s}")
	f.Add("poets: {a: {url: b}}\ntiers: [{}]")
	f.Add("&a [*a]")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "config.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		a, b := defaults(), defaults()
		errA, errB := config.Load(&a, config.Sources{File: path}), config.Load(&b, config.Sources{File: path})
		require.Equal(t, errA, errB)
		require.Equal(t, a, b)
	})
}
