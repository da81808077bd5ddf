package nodeconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxFile bounds a configuration file.
const maxFile = 4 << 20

// parse reads a file. The first pass only has the errors of a plain object.
func parse(raw []byte) (map[string]any, error) {
	if len(raw) > maxFile {
		return nil, fmt.Errorf("can't load config: more than %d bytes", maxFile)
	}
	var plain map[string]any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, fmt.Errorf("can't load config: While parsing config: %w", err)
	}
	m, _ := mustParse(raw).(map[string]any)
	return prune(m), nil
}

// mustParse reads JSON that was read before, and keeps numbers exact.
func mustParse(raw []byte) (v any) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

// prune takes out what says nothing: nulls and empty objects.
func prune(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		v := m[key]
		if inner, ok := v.(map[string]any); ok {
			inner = prune(inner)
			if len(inner) == 0 {
				continue
			}
			v = inner
		}
		if v != nil {
			out[strings.ToLower(key)] = v
		}
	}
	return out
}

// read takes over what a file says. Everything that is wrong is told at once.
func (c *Config) read(file map[string]any) error {
	problems := c.section(sections(), file)
	if len(problems) == 0 {
		return nil
	}
	for i := range problems {
		problems[i] = "* " + problems[i]
	}
	slices.Sort(problems)
	return fmt.Errorf("unmarshal config: %d error(s) decoding:\n\n%s", len(problems), strings.Join(problems, "\n"))
}

func (c *Config) section(g *group, m map[string]any) (problems []string) {
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		child, ok := g.children[key]
		if !ok {
			unknown = append(unknown, key)
			continue
		}
		if child.setting == nil {
			inner, ok := m[key].(map[string]any)
			if !ok {
				problems = append(problems, fmt.Sprintf("'%s' expected a map, got '%s'", child.path, form(m[key])))
				continue
			}
			problems = append(problems, c.section(child, inner)...)
			continue
		}
		problems = append(problems, c.put(child.setting, m[key])...)
	}
	if len(unknown) > 0 {
		problems = append(problems, fmt.Sprintf("'%s' has invalid keys: %s", g.path, strings.Join(unknown, ", ")))
	}
	return problems
}

func (c *Config) put(s *setting, raw any) (problems []string) {
	d := decoding{path: s.path, note: func(path, text string) { c.notes = append(c.notes, Note{path, text}) }}
	v, err := s.kind.decode(d, raw, c.values[s.path])
	if err != nil {
		return texts(err)
	}
	c.values[s.path] = v
	c.given[s.path] = true
	return nil
}

// texts takes joined errors apart.
func texts(err error) []string {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var out []string
		for _, e := range joined.Unwrap() {
			out = append(out, texts(e)...)
		}
		return out
	}
	return []string{err.Error()}
}
