package nodeconfig

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func resolve(t *testing.T, file string, args ...string) *Config {
	t.Helper()
	c, _, err := Resolve(Input{File: []byte(file), Args: args})
	require.NoError(t, err)
	return c
}

// problems are the paths that Check complains about.
func problems(c *Config) (paths []string) {
	var p Problems
	if errors.As(c.Check(), &p) {
		for _, problem := range p {
			paths = append(paths, problem.Path)
		}
	}
	return slices.Compact(paths)
}

func TestWhatIsPrintedResolvesToTheSame(t *testing.T) {
	for _, name := range Presets() {
		c := resolve(t, `{"preset":"`+name+`","hare3":{"committeeupgrade":{"layer":5}},"tortoise":{"minimalactivesetweight":[{"epoch":3,"weight":7}]}}`,
			"--data-folder", "/x", "--beacon-q", "1/7", "--accounts", "a=1").Expand(recorded)
		raw, err := json.Marshal(c.Nested())
		require.NoError(t, err)
		again := resolve(t, string(raw)).Expand(recorded)
		for _, change := range again.Diff(c) {
			// A null in a file says nothing, so an empty list stays what it was.
			require.Nil(t, change.Before, change.Path)
		}
	}
}

func TestThePresetsAreFine(t *testing.T) {
	for _, name := range columns[1:] {
		c, err := Preset(name)
		require.NoError(t, err)
		require.NoError(t, c.Expand(Machine()).Check(), name)
	}
}

func TestWhatCannotBeIsRefusedByName(t *testing.T) {
	standalone := func(args ...string) *Config { return resolve(t, `{"preset":"standalone"}`, args...) }
	for path, c := range map[string]*Config{
		"poet.cycle-gap":                                standalone("--cycle-gap", "60s"),
		"main.layer-duration":                           standalone("--layer-duration", "1s", "--layers-per-epoch", "80"),
		"main.layers-per-epoch":                         resolve(t, `{"preset":"standalone","main":{"layers-per-epoch":-1}}`),
		"main.poet-servers":                             standalone("--poet-servers", "[]"),
		"api.publicservices":                            resolve(t, `{"api":{"publicservices":["node","nod"]}}`),
		"api.privateservices":                           resolve(t, `{"api":{"privateservices":["admin","admin"]}}`),
		"api.grpc-json-listener":                        standalone("--grpc-json-listener", "9000"),
		"logging.log-encoder":                           standalone("--log-encoder", "xml"),
		"logging.hare":                                  resolve(t, `{"logging":{"hare":"loud"}}`),
		"hare3.disable-layer":                           resolve(t, `{"hare3":{"disable-layer":5}}`),
		"poet.phase-shift":                              standalone("--phase-shift", "2m"),
		"main.network-hrp":                              resolve(t, `{"main":{"network-hrp":"SM"}}`),
		"post.post-min-numunits":                        standalone("--post-min-numunits", "3"),
		"poet.grace-period":                             standalone("--grace-period", "31s"),
		"main.tick-size":                                standalone("--tick-size", "0"),
		"post.post-k2":                                  standalone("--post-k2", "0"),
		"smeshery.log-level":                            standalone("--log-level", "loud"),
		"smeshery.poet-listener":                        standalone("--poet-listener", "x"),
		"post.post-labels-per-unit":                     standalone("--post-labels-per-unit", "0"),
		"smeshing.smeshing-coinbase":                    standalone("--coinbase", "sm1qqqqqqz9rf583slhn38g6q6a562ctltv9fv5w8q2gdz9k"),
		"smeshing.smeshing-opts.smeshing-opts-numunits": standalone("--smeshing-opts-numunits", "3"),
		"smeshing.smeshing-opts.smeshing-opts-scrypt.n": resolve(t, `{"smeshing":{"smeshing-opts":{"smeshing-opts-scrypt":{"n":3}}}}`),
		"hare-eligibility.eligibility-confidence-param": standalone("--eligibility-confidence-param", "10"),
	} {
		require.Contains(t, problems(c), path)
		require.Contains(t, c.Check().Error(), path)
	}
	require.Contains(t, standalone("--cycle-gap", "60s").Check().Error(), "--cycle-gap (poet.cycle-gap): 1m0s, but an epoch is only 1m0s")
	require.Contains(t, problems(resolve(t, `{}`, "--smeshing-start")), "smeshing.smeshing-coinbase")
}

func TestOddNumbersAreNoted(t *testing.T) {
	c := resolve(t, `{"main":{"layers-per-epoch":1.5,"tick-size":18446744073709551615,"txs-per-proposal":9223372036854775808,"layer-duration":-1e3}}`)
	require.EqualValues(t, 1, c.Uint("main.layers-per-epoch"))
	require.EqualValues(t, uint64(1<<64-1), c.Uint("main.tick-size"))
	require.EqualValues(t, int64(-1<<63), c.Int("main.txs-per-proposal"))
	require.Equal(t, -time.Microsecond, c.Duration("main.layer-duration"))
	require.Len(t, c.Notes(), 2)
	require.Contains(t, problems(c), "main.txs-per-proposal")
	c = resolve(t, `{}`, "--bootnodes", "x,y")
	require.Len(t, c.Notes(), 1)
	require.Equal(t, []string{"x", "y"}, Unique(c.Strings("p2p.bootnodes")))
	require.NotContains(t, problems(c), "p2p.bootnodes")
}

func TestFlagsInEverySpelling(t *testing.T) {
	var word string
	own := Flag{Name: "word", Set: func(text string) error { word = text; return nil }}
	c, rest, err := Resolve(Input{
		Args: []string{"one", "-p=fastnet", "-d/data", "--metrics", "--word", "hello", "--tick-size=7", "--coinbase", "c", "--smeshing-start=false", "--", "--two"},
		File: []byte(`{}`), Flags: []Flag{own},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"one", "--two"}, rest)
	require.Equal(t, "hello", word)
	require.True(t, c.Bool("main.metrics"))
	require.False(t, c.Bool("smeshing.smeshing-start"))
	require.Equal(t, "/data", c.Text("main.data-folder"))
	require.EqualValues(t, 7, c.Uint("main.tick-size"))
	require.Equal(t, "c", c.Text("smeshing.smeshing-coinbase"))
	require.True(t, c.Given("main.tick-size"))
	require.False(t, c.Given("main.layer-duration"))
	for text, args := range map[string][]string{
		"flag needs an argument: --preset":                   {"--preset"},
		"unknown shorthand flag: 'x' in -x":                  {"-x"},
		`invalid argument "x" for "--tick-size" flag: `:      {"--tick-size", "x"},
		`invalid argument "x" for "--metrics" flag: `:        {"--metrics=x"},
		`invalid argument "a" for "-a, --accounts" flag: a `: {"-a", "a"},
		"bad flag syntax: --=":                               {"--="},
	} {
		_, _, err := Resolve(Input{Args: args, File: []byte(`{}`)})
		require.ErrorContains(t, err, text)
	}
}

func TestFilesFromDisk(t *testing.T) {
	_, _, err := Resolve(Input{})
	require.EqualError(t, err, "opening config file: open : no such file or directory")
	c, _, err := Resolve(Input{Optional: true, Preset: "standalone"})
	require.NoError(t, err)
	require.True(t, c.Bool("main.standalone"))
	path := filepath.Join(t.TempDir(), "c.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"main":{"tick-size":9}}`), 0o600))
	c, _, err = Resolve(Input{Args: []string{"-c", path}})
	require.NoError(t, err)
	require.EqualValues(t, 9, c.Uint("main.tick-size"))
	_, _, err = Resolve(Input{File: []byte(strings.Repeat(" ", 5<<20))})
	require.ErrorContains(t, err, "more than")
}

func TestWithLeavesTheOriginal(t *testing.T) {
	c := resolve(t, `{}`)
	other, err := c.With("main.tick-size", 5)
	require.NoError(t, err)
	require.EqualValues(t, 5, other.Uint("main.tick-size"))
	require.Equal(t, []Change{{"main.tick-size", c.Uint("main.tick-size"), uint64(5)}}, other.Diff(c))
	_, err = c.With("main.tick-size", "x")
	require.Error(t, err)
	require.Panics(t, func() { c.Text("main.tick-size") })
}

// Every kind refuses what it cannot be, and never panics.
func TestWrongTypes(t *testing.T) {
	for _, s := range settings() {
		for _, raw := range []string{`[[]]`, `"\u0000"`, `{"a":{"b":[1]}}`, `1e400`, `true`, `-7.5`, `[{"x":1}]`, `""`} {
			file := mustParse([]byte(raw))
			parts := strings.Split(s.path, ".")
			slices.Reverse(parts)
			for _, part := range parts {
				file = map[string]any{part: file}
			}
			text, err := json.Marshal(file)
			require.NoError(t, err)
			c, _, err := Resolve(Input{File: text})
			if err == nil {
				_ = c.Check()
				_, err = json.Marshal(c.Nested())
				require.NoError(t, err, "%s %s", s.path, raw)
				_, _ = c.Params()
			}
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{`{}`, `{"preset":"fastnet","main":{"atx-versions":{"2":2}}}`, `{"hare3":{"committeeupgrade":{"layer":1}}}`, `{"p2p":{"listen":"/ip4/1"}}`} {
		f.Add([]byte(s), "--bootnodes x -p fastnet")
	}
	f.Fuzz(func(t *testing.T, file []byte, args string) {
		c, _, err := Resolve(Input{File: append([]byte{}, file...), Args: strings.Fields(strings.ReplaceAll(args, "config", ""))})
		if err != nil {
			return
		}
		require.Equal(t, len(maps.Clone(c.values)), len(settings()))
		_ = c.Check()
		_, _ = c.Params()
		_, err = json.Marshal(c.Nested())
		require.NoError(t, err)
	})
}

func TestADirectoryRemembersItsNetwork(t *testing.T) {
	first := resolve(t, `{"preset":"standalone","hare3":{"committeeupgrade":{"layer":5,"size":9}}}`,
		"--layer-duration", "7s", "--genesis-time", "2030-01-01T00:00:00Z", "--coinbase", "me").Expand(recorded)
	raw, err := first.Remember()
	require.NoError(t, err)
	again, err := resolve(t, `{"preset":"standalone"}`, "--layer-duration", "7s", "--log-level", "debug").Expand(recorded).Recall(raw)
	require.NoError(t, err)
	require.Equal(t, "debug", again.Text("smeshery.log-level"))
	require.Equal(t, "me", again.Text("smeshing.smeshing-coinbase"))
	a, err := first.Params()
	require.NoError(t, err)
	b, err := again.Params()
	require.NoError(t, err)
	require.Equal(t, a, b)

	other := resolve(t, `{"preset":"standalone"}`, "--layer-duration", "8s", "--coinbase", "you")
	_, err = other.Recall(raw)
	require.EqualError(t, err, `--layer-duration (main.layer-duration): "8s", but the network of the data directory has "7s"; leave it out, or take another --data-dir`)
	_, err = other.Recall([]byte("x"))
	require.Error(t, err)
}
