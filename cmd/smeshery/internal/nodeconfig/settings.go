package nodeconfig

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed settings.tsv
var table string

// setting is a row of the table.
type setting struct {
	path string
	kind kind
	// flag is the name on the command line; empty if it has none.
	flag string
	// values are the column of each network.
	values map[string]any
}

// columns of the table behind path, kind and flag. Default is what small networks
// were made from, and no network of itself.
var columns = []string{"default", "mainnet", "testnet", "fastnet", "standalone"}

// settings are the rows in the order of the table.
var settings = sync.OnceValue(func() (out []*setting) {
	rows := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	for _, row := range rows[1:] {
		cells := strings.Split(row, "\t")
		s := &setting{path: cells[0], kind: kinds()[cells[1]], flag: cells[2], values: make(map[string]any)}
		for i, name := range columns {
			cell := cells[3+i]
			if cell == "=" {
				s.values[name] = s.values[columns[0]]
				continue
			}
			s.values[name] = s.cell(cell)
		}
		out = append(out, s)
	}
	return out
})

// cell reads a value of the table, which is written as in a file.
func (s *setting) cell(text string) any {
	var raw any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	err := dec.Decode(&raw)
	if err == nil && ofMachine(raw) {
		return raw
	}
	var v any
	if err == nil {
		v, err = s.kind.decode(decoding{path: s.path}, raw, nil)
	}
	if err != nil {
		panic(fmt.Sprintf("settings.tsv: %s: %v", s.path, err))
	}
	return v
}

// byPath finds a setting.
var byPath = sync.OnceValue(func() map[string]*setting {
	out := make(map[string]*setting)
	for _, s := range settings() {
		out[s.path] = s
	}
	return out
})

// Presets are the networks that a file or flag may start from.
func Presets() []string { return []string{"fastnet", "standalone", "testnet"} }

// Preset is the configuration of a network as it stands in the table, mainnet and
// "default" among them.
func Preset(name string) (*Config, error) {
	if !slices.Contains(columns, name) {
		return nil, fmt.Errorf("no network %q; there are %s", name, strings.Join(columns[1:], ", "))
	}
	c := &Config{values: make(map[string]any)}
	for _, s := range settings() {
		c.values[s.path] = s.values[name]
	}
	return c, nil
}

// group is a section, or a setting at the end of a path.
type group struct {
	path     string
	children map[string]*group
	setting  *setting
}

// sections is the tree of settings; names are in lower case.
var sections = sync.OnceValue(func() *group {
	root := &group{children: make(map[string]*group)}
	for _, s := range settings() {
		at, path := root, ""
		for part := range strings.SplitSeq(s.path, ".") {
			path = join(path, part)
			next, ok := at.children[strings.ToLower(part)]
			if !ok {
				next = &group{path: path, children: make(map[string]*group)}
				at.children[strings.ToLower(part)] = next
			}
			at = next
		}
		at.setting = s
	}
	return root
})

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
