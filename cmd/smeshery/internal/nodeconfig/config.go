package nodeconfig

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Config is a resolved configuration. It is read-only.
type Config struct {
	values map[string]any
	// given are the paths that the file or a flag set.
	given map[string]bool
	notes []Note
}

// Note is something that go-spacemesh accepts and nobody can want.
type Note struct{ Path, Text string }

func (n Note) String() string { return n.Path + ": " + n.Text }

func get[T any](c *Config, path string) T {
	v, ok := c.values[path].(T)
	if !ok && c.values[path] != nil {
		panic("setting " + path + " has another type") // a typo in this program
	}
	return v
}

// Text is a setting of texts; a path that does not exist panics, as below.
func (c *Config) Text(path string) string { return get[string](c, path) }

// Bool is a setting that is true or false.
func (c *Config) Bool(path string) bool { return get[bool](c, path) }

// Int is a whole number with a sign.
func (c *Config) Int(path string) int64 { return get[int64](c, path) }

// Uint is a whole number without a sign.
func (c *Config) Uint(path string) uint64 { return get[uint64](c, path) }

// Duration is a setting of time.
func (c *Config) Duration(path string) time.Duration { return get[time.Duration](c, path) }

// Strings is a list of texts.
func (c *Config) Strings(path string) []string { return slices.Clone(get[[]string](c, path)) }

// GenesisTime starts layer 0.
func (c *Config) GenesisTime() time.Time { return get[time.Time](c, "genesis.genesis-time") }

// Accounts exist from the start, by address.
func (c *Config) Accounts() map[string]uint64 {
	return maps.Clone(get[map[string]uint64](c, "genesis.accounts"))
}

// Poets are those to register at.
func (c *Config) Poets() []Poet { return slices.Clone(get[[]Poet](c, "main.poet-servers")) }

// Given tells whether the file or a flag set a setting.
func (c *Config) Given(path string) bool { return c.given[path] }

// With is the configuration with another value, written as in a file.
func (c *Config) With(path string, value any) (*Config, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	s := byPath()[path]
	v, err := s.kind.decode(decoding{path: path}, mustParse(raw), c.values[path])
	if err != nil {
		return nil, err
	}
	out := c.clone()
	out.values[path] = v
	return out, nil
}

func (c *Config) clone() *Config {
	return &Config{values: maps.Clone(c.values), given: maps.Clone(c.given), notes: slices.Clone(c.notes)}
}

// ofMachine tells whether a value of the table stands for one of the machine.
func ofMachine(v any) bool {
	text, ok := v.(string)
	return ok && strings.HasPrefix(text, "$")
}

// Flat are all values by path as they stand in JSON.
func (c *Config) Flat() map[string]any {
	out := make(map[string]any, len(c.values))
	for _, s := range settings() {
		v := c.values[s.path]
		switch u := v.(type) {
		case *Upgrade:
			if u != nil {
				out[s.path+".layer"] = kinds()["layer"].show(u.Layer)
				out[s.path+".size"] = u.Size
				continue
			}
		}
		out[s.path] = s.shown(v)
	}
	return out
}

func (s *setting) shown(v any) any {
	if s.kind.show == nil || v == nil || ofMachine(v) {
		return v
	}
	return s.kind.show(v)
}

// Nested is the configuration as a file that resolves to it.
func (c *Config) Nested() map[string]any { return nest(c.Flat()) }

func nest(flat map[string]any) map[string]any {
	root := make(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(flat)) {
		at := root
		parts := strings.Split(path, ".")
		for _, part := range parts[:len(parts)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = make(map[string]any)
				at[part] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = flat[path]
	}
	return root
}

// Change is a setting in which two configurations differ.
type Change struct {
	Path          string
	Before, After any
}

// Diff lists what differs from another configuration, by path.
func (c *Config) Diff(from *Config) (out []Change) {
	before, after := from.Flat(), c.Flat()
	paths := slices.Collect(maps.Keys(after))
	for path := range before {
		if _, ok := after[path]; !ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		if !reflect.DeepEqual(before[path], after[path]) {
			out = append(out, Change{path, before[path], after[path]})
		}
	}
	return out
}

// Notes are what was odd about the file and the flags.
func (c *Config) Notes() []Note { return slices.Clone(c.notes) }
