package nodeconfig

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ofNetwork are the settings, and the sections of settings, in which all nodes of a
// network must agree.
var ofNetwork = []string{
	"preset", "genesis.", "hare3.", "hare4.", "hare-eligibility.", "beacon.", "certificate.committee-size", "post.",
	"poet.cycle-gap", "poet.phase-shift", "smeshing.smeshing-opts.smeshing-opts-scrypt.",
	"main.layer-duration", "main.layers-per-epoch", "main.layer-average-size", "main.tick-size", "main.atx-versions", "main.block-gas-limit",
	"main.network-hrp", "main.txs-per-proposal",
	"tortoise.tortoise-hdist", "tortoise.tortoise-zdist", "tortoise.tortoise-window-size", "tortoise.tortoise-delay-layers",
	"tortoise.historicalwindowsize", "tortoise.minimalactivesetweight",
}

// sticky are settings that a network's directory keeps until they are given anew.
var sticky = []string{
	"smeshing.smeshing-coinbase", "smeshing.smeshing-start", "main.standalone", "main.poet-servers", "main.atx-grade-delay",
	"poet.grace-period", "poet.positioning-atx-selection-timeout", "poet.poet-request-timeout",
}

func isOfNetwork(path string) bool {
	return slices.ContainsFunc(ofNetwork, func(p string) bool {
		return path == p || strings.HasSuffix(p, ".") && strings.HasPrefix(path, p)
	})
}

// Remember writes down the network, so that the next start needs no flags. It is a
// file for Recall.
func (c *Config) Remember() ([]byte, error) { return c.write(false) }

// Hand writes down the network and everything else that was given, as a file for
// another process.
func (c *Config) Hand() ([]byte, error) { return c.write(true) }

func (c *Config) write(given bool) ([]byte, error) {
	flat := make(map[string]any)
	for path, v := range c.Flat() {
		if isOfNetwork(path) || slices.Contains(sticky, path) || given && c.given[path] {
			flat[path] = v
		}
	}
	raw, err := json.MarshalIndent(nest(flat), "", "  ")
	return append(raw, '\n'), err
}

// Recall takes the network over from what Remember wrote. A setting that was given
// and differs is a Problem each.
func (c *Config) Recall(raw []byte) (*Config, error) {
	file, err := parse(raw)
	if err != nil {
		return nil, err
	}
	before, err := Preset("mainnet")
	if err != nil {
		return nil, err
	}
	before.given = make(map[string]bool)
	if err := before.read(file); err != nil {
		return nil, err
	}
	out := c.clone()
	var found Problems
	for _, s := range settings() {
		network := isOfNetwork(s.path)
		if !network && !slices.Contains(sticky, s.path) {
			continue
		}
		was := before.values[s.path]
		if !before.given[s.path] {
			was = s.nothing()
		}
		if network && c.given[s.path] && !reflect.DeepEqual(asShown(s, was), asShown(s, c.values[s.path])) {
			found = append(found, Problem{s.path, fmt.Sprintf("%s, but the network of the data directory has %s; leave it out, or take another --data-dir",
				display(s, c.values[s.path]), display(s, was))})
		}
		if network || !c.given[s.path] {
			out.values[s.path] = was
		}
	}
	if len(found) > 0 {
		return nil, found
	}
	return out, nil
}

// nothing is what a file means that leaves a setting out although Remember would
// have written it: null, or an empty object.
func (s *setting) nothing() any {
	for _, raw := range []any{nil, map[string]any{}} {
		if v, err := s.kind.decode(decoding{path: s.path}, raw, nil); err == nil {
			return v
		}
	}
	return nil
}

// asShown is a value in the one form in which nothing and empty are the same.
func asShown(s *setting, v any) any {
	if text := display(s, v); text != "null" && text != "{}" && text != "[]" {
		return text
	}
	return nil
}

func display(s *setting, v any) string {
	raw, err := json.Marshal(s.shown(v))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}
