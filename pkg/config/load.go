package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Sources of a configuration, in the order in which they override each other.
type Sources struct {
	// File is a path to YAML or JSON; empty is none, and a missing one an error.
	File string
	// Environ is a list of NAME=value, as of os.Environ.
	Environ []string
	// Allowed names SMESHERY_ variables that are not settings.
	Allowed []string
	// Flags are what Flags gathered from the command line; may be nil.
	Flags *FlagSet
}

// EnvPrefix begins the names of our environment variables.
const EnvPrefix = "SMESHERY_"

// Problem is one thing that is wrong.
type Problem struct {
	// Where is file:line:column, $VARIABLE, --flag, or empty.
	Where string
	// Path of the setting, if it is known.
	Path string
	Text string
}

func (p Problem) String() string {
	parts := slices.DeleteFunc([]string{p.Where, p.Path, p.Text}, func(s string) bool { return s == "" })
	return strings.Join(parts, ": ")
}

// Problems is everything that is wrong, as one error.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// Load overrides the defaults in cfg, a pointer to a struct. An error that is
// not Problems means that the file could not be read.
func Load(cfg any, src Sources) error {
	tree, err := describe(cfg)
	if err != nil {
		return err
	}
	l := &loader{tree: tree}
	if src.File != "" {
		if err := l.file(src.File); err != nil {
			return err
		}
	}
	l.environ(src.Environ, src.Allowed)
	if src.Flags != nil {
		l.flags(src.Flags)
	}
	if len(l.problems) == 0 {
		l.validate("", reflect.ValueOf(cfg).Elem())
	}
	if len(l.problems) > 0 {
		return l.problems
	}
	return nil
}

type loader struct {
	tree     *tree
	problems Problems
}

func (l *loader) add(where, path, format string, args ...any) {
	l.problems = append(l.problems, Problem{where, path, fmt.Sprintf(format, args...)})
}

func (l *loader) environ(environ, allowed []string) {
	names := make(map[string]*leaf)
	for _, leaf := range l.tree.leaves {
		names[envName(leaf.path)] = leaf
	}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, EnvPrefix) || slices.Contains(allowed, name) {
			continue
		}
		leaf, ok := names[name]
		if !ok {
			l.add("$"+name, "", "no such setting%s", suggest(name, names, "$"))
			continue
		}
		if err := setText(leaf.value, value); err != nil {
			l.add("$"+name, leaf.path, "%s", err)
		}
	}
}

func envName(path string) string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}

func (l *loader) flags(f *FlagSet) {
	for _, given := range f.given {
		leaf, ok := l.tree.byPath[given.path]
		if !ok {
			l.add("--"+given.path, "", "no such setting")
			continue
		}
		if err := setText(leaf.value, given.value); err != nil {
			l.add("--"+given.path, "", "%s", err)
		}
	}
}

// validator is what a part of a configuration may know about itself. It
// reports all its problems, joined.
type validator interface{ Validate() error }

// validate asks every struct from the inside out.
func (l *loader) validate(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for f := range fields(v) {
			l.validate(join(path, f.name), f.value)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, k := range keys {
			element := reflect.New(v.Type().Elem()).Elem() // so that pointer methods count
			element.Set(v.MapIndex(k))
			l.validate(join(path, k.String()), element)
		}
	case reflect.Slice:
		for i := range v.Len() {
			l.validate(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	}
	check, ok := v.Interface().(validator)
	if !ok && v.CanAddr() {
		check, ok = v.Addr().Interface().(validator)
	}
	if !ok {
		return
	}
	for _, err := range split(check.Validate()) {
		l.add("", path, "%s", err)
	}
}

// split takes joined errors apart.
func split(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) && err.Error() == errors.Join(joined.Unwrap()...).Error() {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, split(e)...)
		}
		return out
	}
	return []error{err}
}

func (l *loader) file(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	l.parse(path, b)
	return nil
}
