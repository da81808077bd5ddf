package nodeconfig

import (
	"fmt"
	"os"
	"slices"
)

// Stages in which a configuration may be refused.
const (
	StageFlags = "flags"
	StageLoad  = "load"
)

// Error says in which stage a configuration was refused, and why.
type Error struct {
	Stage string
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Input is what a configuration is made of.
type Input struct {
	// Path of the file; --config wins over it. Empty with File, or for none.
	Path string
	// File is the content of a file that was read already.
	File []byte
	// Args is the command line.
	Args []string
	// Preset counts if neither flag nor file name one; empty is mainnet.
	Preset string
	// Optional allows that there is no file.
	Optional bool
	// Flags that are no settings.
	Flags []Flag
}

// resolver is a command line that is read twice: flags win over the file, and the
// file is named by a flag.
type resolver struct {
	in      *Input
	cfg     *Config
	path    string
	preset  string
	touched map[string]bool
	second  bool
}

// Resolve makes the configuration, and returns the arguments that are no flags.
// Errors are of type *Error (spec 09 §11.1).
func Resolve(in Input) (*Config, []string, error) {
	base := in.Preset
	if base == "" {
		base = columns[1]
	}
	cfg, err := Preset(base)
	if err != nil {
		return nil, nil, &Error{StageLoad, err}
	}
	cfg.given = make(map[string]bool)
	r := &resolver{in: &in, cfg: cfg, path: in.Path, touched: make(map[string]bool)}
	if _, err := parseFlags(in.Args, r.find); err != nil {
		return nil, nil, &Error{StageFlags, err}
	}
	file, err := r.file()
	if err != nil {
		return nil, nil, &Error{StageLoad, err}
	}
	if err := r.choosePreset(file); err != nil {
		return nil, nil, &Error{StageLoad, err}
	}
	if err := r.cfg.read(file); err != nil {
		return nil, nil, &Error{StageLoad, err}
	}
	r.second = true
	rest, err := parseFlags(in.Args, r.find)
	if err != nil {
		return nil, nil, &Error{StageFlags, err}
	}
	r.noteDoubles()
	return r.cfg, rest, nil
}

func (r *resolver) file() (map[string]any, error) {
	raw := r.in.File
	if raw == nil {
		if r.path == "" && r.in.Optional {
			return nil, nil
		}
		var err error
		if raw, err = os.ReadFile(r.path); err != nil {
			return nil, fmt.Errorf("opening config file: %w", err)
		}
	}
	return parse(raw)
}

// choosePreset replaces everything by a preset that was asked for.
func (r *resolver) choosePreset(file map[string]any) error {
	name := r.preset
	if name == "" {
		if raw, ok := file["preset"]; ok {
			v, err := decodeString(decoding{path: "preset"}, raw, nil)
			if err != nil {
				return err
			}
			name = v.(string)
		}
	}
	if name == "" {
		return nil
	}
	if !slices.Contains(Presets(), name) {
		return fmt.Errorf("preset %s is not registered. select one from the options %v", name, Presets())
	}
	cfg, err := Preset(name)
	if err != nil {
		return err
	}
	cfg.given = r.cfg.given
	r.cfg = cfg
	return nil
}

// find makes the flag of a setting.
func (r *resolver) find(name string) (Flag, bool) {
	if name == "config" {
		return Flag{Name: name, Set: func(text string) error { r.path = text; return nil }}, true
	}
	for _, f := range r.in.Flags {
		if f.Name == name {
			return f, true
		}
	}
	i := slices.IndexFunc(settings(), func(s *setting) bool { return s.flag == name })
	if name == "" || i < 0 {
		return Flag{}, false
	}
	s := settings()[i]
	return Flag{Name: name, Alone: s.kind.alone, Set: func(text string) error { return r.set(s, text) }}, true
}

// set takes over a flag. A list starts anew the first time that its flag is seen,
// which is in the first pass; whatever was there by the second pass is added to.
func (r *resolver) set(s *setting, text string) error {
	old := r.cfg.values[s.path]
	if s.kind.adds && !r.touched[s.path] {
		old = nil
	}
	v, err := s.kind.set(text, old)
	if err != nil {
		return err
	}
	r.touched[s.path] = true
	r.cfg.values[s.path] = v
	r.cfg.given[s.path] = true
	if s.path == "preset" {
		r.preset = text
	}
	return nil
}

// noteDoubles tells of lists that hold something twice because their flag was read
// twice.
func (r *resolver) noteDoubles() {
	for _, s := range settings() {
		if list, ok := r.cfg.values[s.path].([]string); ok && r.touched[s.path] && len(Unique(list)) < len(list) {
			r.cfg.notes = append(r.cfg.notes, Note{s.path, "the flag names values that are there already; each counts once"})
		}
	}
}

// Unique is a list without repetitions, in its order.
func Unique(list []string) (out []string) {
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
