package nodeconfig

import (
	"fmt"
	"strings"
)

// Flag is an option of the command line that is no setting.
type Flag struct {
	Name string
	// Alone says that it needs no value; it is then "true".
	Alone bool
	Set   func(text string) error
}

// shorts are flags of one letter.
var shorts = map[byte]string{'c': "config", 'p': "preset", 'd': "data-folder", 'a': "accounts"}

// ours are other names of go-spacemesh's flags, which read better.
var ours = map[string]string{"data-dir": "data-folder", "coinbase": "smeshing-coinbase", "post-dir": "smeshing-opts-datadir"}

// parseFlags reads a command line in the syntax of go-spacemesh: --name value,
// --name=value, -n value, and what is left.
func parseFlags(args []string, find func(name string) (Flag, bool)) (rest []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return append(rest, args...), nil
		case len(arg) < 2 || arg[0] != '-':
			rest = append(rest, arg)
			continue
		}
		name, value, has := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		shown := "--" + name
		if arg[1] != '-' {
			if name, value, has, err = short(arg[1:]); err != nil {
				return nil, err
			}
			shown = fmt.Sprintf("-%c, --%s", arg[1], name)
		} else if name == "" {
			return nil, fmt.Errorf("bad flag syntax: %s", arg)
		}
		if other, ok := ours[name]; ok {
			name = other
		}
		f, ok := find(name)
		switch {
		case !ok:
			return nil, fmt.Errorf("unknown flag: --%s", name)
		case !has && f.Alone:
			value = "true"
		case !has && len(args) == 0:
			return nil, fmt.Errorf("flag needs an argument: %s", arg)
		case !has:
			value, args = args[0], args[1:]
		}
		if err := f.Set(value); err != nil {
			return nil, fmt.Errorf("invalid argument %q for %q flag: %w", value, shown, err)
		}
	}
	return rest, nil
}

// short reads -n, -n=value and -nvalue.
func short(text string) (name, value string, has bool, err error) {
	name, ok := shorts[text[0]]
	if !ok {
		return "", "", false, fmt.Errorf("unknown shorthand flag: %q in -%s", text[0], text)
	}
	value = strings.TrimPrefix(text[1:], "=")
	return name, value, len(text) > 1, nil
}
