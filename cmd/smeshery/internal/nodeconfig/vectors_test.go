package nodeconfig

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/network"
)

// asJSON is a value in one form: what JSON makes of it, keys in order.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	raw, err = json.Marshal(mustParse(raw))
	require.NoError(t, err)
	return string(raw)
}

// recorded is the machine on which the vectors were made, as far as they tell.
var recorded = Place{Home: "$HOME", Temp: "$TMPDIR", ExeDir: "$EXEDIR", CPUs: 2}

func sameAs(t *testing.T, want map[string]json.RawMessage, c *Config) {
	t.Helper()
	got := c.Flat()
	require.NotEmpty(t, want)
	for path, raw := range want {
		if path == "genesis.genesis-time" && string(raw) == `"$NOW"` {
			continue
		}
		require.Equal(t, asJSON(t, raw), asJSON(t, got[path]), path)
		delete(got, path)
	}
	for path := range got {
		ours := strings.HasPrefix(path, "smeshery.") || strings.HasSuffix(path, "-verifying-powflags") || path == "genesis.genesis-time"
		require.True(t, ours, "%s is not in the vectors", path)
	}
}

func TestConfigPresets(t *testing.T) {
	type vector struct {
		Values map[string]map[string]json.RawMessage
	}
	vectors.Run(t, "api/config_presets", func(t *testing.T, c vector) {
		require.NotEmpty(t, c.Values)
		for _, name := range slices.Sorted(maps.Keys(c.Values)) {
			cfg, err := Preset(name)
			require.NoError(t, err)
			sameAs(t, c.Values[name], cfg.Expand(recorded))
		}
	})
}

// The order of the names of presets in a message is random in the original.
var options = regexp.MustCompile(`options \[[a-z ]*\]`)

func message(text string) string { return options.ReplaceAllString(text, "options") }

func TestConfigResolve(t *testing.T) {
	type vector struct {
		File    json.RawMessage
		Raw     *string `json:"file_raw"`
		Args    []string
		Base    string
		Changed map[string]json.RawMessage
		Genesis string `json:"genesis_id"`
		Golden  string `json:"golden_atx"`
		Invalid string `json:"genesis_validate_error"`
		Error   *struct{ Stage, Message string }
	}
	vectors.Run(t, "api/config_resolve", func(t *testing.T, c vector) {
		file := []byte(c.File)
		if c.Raw != nil {
			file = append([]byte{}, *c.Raw...)
		}
		cfg, _, err := Resolve(Input{File: file, Args: c.Args})
		if c.Error != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, message(c.Error.Message), message(err.Error()))
			require.Equal(t, c.Error.Stage, e.Stage)
			return
		}
		require.NoError(t, err)
		base, err := Preset(c.Base)
		require.NoError(t, err)
		cfg, base = cfg.Expand(recorded), base.Expand(recorded)
		want, got := base.Flat(), cfg.Flat()
		for path, raw := range c.Changed {
			require.Equal(t, asJSON(t, raw), asJSON(t, got[path]), path)
			delete(want, path)
			delete(got, path)
		}
		require.Equal(t, asJSON(t, want), asJSON(t, got))
		id, golden := cfg.genesis().ID(), cfg.genesis().GoldenATX()
		require.Equal(t, c.Genesis, hex.EncodeToString(id[:]))
		require.Equal(t, c.Golden, hex.EncodeToString(golden[:]))
		if c.Invalid != "" {
			require.EqualError(t, cfg.CheckGenesis(), c.Invalid)
			require.ErrorContains(t, cfg.Check(), c.Invalid)
		} else {
			require.NoError(t, cfg.CheckGenesis())
		}
	})
}

func TestNetworksAreThoseOfThePresets(t *testing.T) {
	for _, name := range columns[1:] {
		cfg, err := Preset(name)
		require.NoError(t, err)
		cfg.values["preset"] = name
		got, err := cfg.Params()
		require.NoError(t, err)
		want, err := network.Preset(name)
		require.NoError(t, err)
		slices.SortFunc(want.Genesis.Accounts, func(a, b network.GenesisAccount) int { return strings.Compare(a.Address, b.Address) })
		if !want.Genesis.Time.IsZero() {
			require.True(t, want.Genesis.Time.Equal(got.Genesis.Time))
		}
		want.Genesis.Time = got.Genesis.Time
		require.Equal(t, want, got, name)
	}
}
