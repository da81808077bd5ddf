package config

import (
	"cmp"
	"flag"
	"reflect"
	"slices"
)

// FlagSet gathers what the command line says, for Load to apply last.
type FlagSet struct {
	given []givenFlag
}

type givenFlag struct{ path, value string }

// Flags declares a flag for every leaf of cfg, a pointer to a struct of
// defaults. Parsing remembers values and changes nothing yet.
func Flags(set *flag.FlagSet, cfg any) (*FlagSet, error) {
	tree, err := describe(cfg)
	if err != nil {
		return nil, err
	}
	out := &FlagSet{}
	for _, l := range tree.leaves {
		set.Var(&flagValue{out, l.path, getText(l.value), l.value.Kind() == reflect.Bool}, l.path, l.usage)
	}
	return out, nil
}

// flagValue is one flag on its way through package flag.
type flagValue struct {
	set    *FlagSet
	path   string
	text   string
	isBool bool
}

func (f *flagValue) String() string   { return f.text }
func (f *flagValue) IsBoolFlag() bool { return f.isBool }

func (f *flagValue) Set(s string) error {
	f.set.given = append(f.set.given, givenFlag{f.path, s})
	return nil
}

// Setting is a leaf as people see it.
type Setting struct {
	Path, Env, Value, Usage string
}

// Settings lists every leaf of cfg with its value, sorted by path.
func Settings(cfg any) ([]Setting, error) {
	tree, err := describe(cfg)
	if err != nil {
		return nil, err
	}
	out := make([]Setting, len(tree.leaves))
	for i, l := range tree.leaves {
		out[i] = Setting{l.path, envName(l.path), getText(l.value), l.usage}
	}
	slices.SortFunc(out, func(a, b Setting) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

// Diff lists the settings of cfg that differ from those of defaults.
func Diff(cfg, defaults any) ([]Setting, error) {
	now, err := Settings(cfg)
	if err != nil {
		return nil, err
	}
	before, err := Settings(defaults)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(now, func(s Setting) bool { return slices.Contains(before, s) }), nil
}

// suggest names the known name that is nearest to what was written, if one is near.
func suggest[V any](name string, known map[string]V, prefix string) string {
	best, distance := "", 4
	for k := range known {
		if d := edits(name, k); d < distance || d == distance && k < best {
			best, distance = k, d
		}
	}
	if best == "" || distance > max(1, len(name)/3) {
		return ""
	}
	return "; did you mean " + prefix + best + "?"
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
