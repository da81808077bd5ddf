package nodeconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// kind is how values of a type are read and shown.
type kind struct {
	// decode reads a value of a file; old is the value until now.
	decode func(d decoding, raw, old any) (any, error)
	// set reads a flag's text.
	set func(text string, old any) (any, error)
	// adds says that a flag given again adds to the list.
	adds bool
	// show is the value as it stands in JSON; nil shows it as it is.
	show func(v any) any
	// alone says that the flag needs no value.
	alone bool
}

// decoding is where a value stands, and what was odd about it.
type decoding struct {
	path string
	note func(path, text string)
}

func (d decoding) odd(format string, args ...any) {
	if d.note != nil {
		d.note(d.path, fmt.Sprintf(format, args...))
	}
}

func (d decoding) sub(name string) decoding { return decoding{path: d.path + name, note: d.note} }

// failed is an error of the value's own syntax.
func (d decoding) failed(err error) error {
	return fmt.Errorf("error decoding '%s': %w", d.path, err)
}

// expected is an error of a value of another type.
func (d decoding) expected(want string, raw any) error {
	return fmt.Errorf("'%s' expected type '%s', got unconvertible type '%s', value: '%v'", d.path, want, typeName(raw), raw)
}

// typeName is what Go calls a JSON value.
func typeName(raw any) string {
	switch raw.(type) {
	case json.Number:
		return "float64"
	case []any:
		return "[]interface {}"
	case map[string]any:
		return "map[string]interface {}"
	}
	return fmt.Sprintf("%T", raw)
}

func kinds() map[string]kind {
	return map[string]kind{
		"bool":       boolKind(),
		"int":        intKind("int", 64),
		"int64":      intKind("int64", 64),
		"uint8":      uintKind("uint8", 8, false),
		"uint16":     uintKind("uint16", 16, false),
		"uint32":     uintKind("uint32", 32, false),
		"uint64":     uintKind("uint64", 64, false),
		"layer":      uintKind("uint32", 32, true),
		"float64":    floatKind(),
		"string":     stringKind(),
		"level":      levelKind(),
		"duration":   durationKind(),
		"time":       timeKind(),
		"ratio":      ratioKind(),
		"provider":   providerKind(),
		"powflags":   powFlagsKind(),
		"difficulty": difficultyKind(),
		"deprecated": deprecatedKind(),
		"strings":    stringsKind(),
		"ints":       intsKind(),
		"addresses":  addressesKind(),
		"accounts":   accountsKind(),
		"headers":    headersKind(),
		"versions":   versionsKind(),
		"poets":      poetsKind(),
		"servers":    serversKind(),
		"upgrade":    upgradeKind(),
		"windows":    windowsKind(),
		"weights":    weightsKind(),
	}
}

func boolKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		switch raw := raw.(type) {
		case bool:
			return raw, nil
		case json.Number:
			f, err := raw.Float64()
			return f != 0, err
		case string:
			if raw == "" {
				return false, nil
			}
			b, err := strconv.ParseBool(raw)
			if err != nil {
				return nil, fmt.Errorf("cannot parse '%s' as bool: %w", d.path, err)
			}
			return b, nil
		}
		return nil, d.expected("bool", raw)
	}
	set := func(text string, _ any) (any, error) {
		b, err := strconv.ParseBool(text)
		return b, err
	}
	return kind{decode: decode, set: set, alone: true}
}

func floatKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		switch raw := raw.(type) {
		case bool:
			return float64(bit(raw)), nil
		case json.Number:
			return raw.Float64()
		case string:
			f, err := strconv.ParseFloat(zeroIfEmpty(raw), 64)
			if err != nil {
				return nil, fmt.Errorf("cannot parse '%s' as float: %w", d.path, err)
			}
			return f, nil
		}
		return nil, d.expected("float64", raw)
	}
	return kind{decode: decode}
}

func stringKind() kind {
	return kind{decode: decodeString, set: func(text string, _ any) (any, error) { return text, nil }}
}

func decodeString(d decoding, raw, _ any) (any, error) {
	switch raw := raw.(type) {
	case string:
		return raw, nil
	case bool:
		return strconv.Itoa(bit(raw)), nil
	case json.Number:
		if f, err := raw.Float64(); err == nil {
			return strconv.FormatFloat(f, 'f', -1, 64), nil
		}
	}
	return nil, d.expected("string", raw)
}

// levelKind is the one log level that is checked when it is read.
func levelKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		text, ok := raw.(string)
		if !ok {
			return nil, d.expected("zapcore.Level", raw)
		}
		if !logLevel(text) {
			return nil, d.failed(fmt.Errorf("unrecognized level: %q", text))
		}
		return strings.ToLower(text), nil
	}
	return kind{decode: decode}
}

// logLevel tells whether a text names a level.
func logLevel(text string) bool {
	switch strings.ToLower(text) {
	case "debug", "info", "warn", "error", "dpanic", "panic", "fatal", "":
		return true
	}
	return false
}

func durationKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		switch raw := raw.(type) {
		case json.Number:
			n, err := whole(d, raw, 64, true)
			return time.Duration(n), err
		case string:
			v, err := time.ParseDuration(raw)
			if err != nil {
				return nil, d.failed(err)
			}
			return v, nil
		}
		return nil, d.expected("time.Duration", raw)
	}
	set := func(text string, _ any) (any, error) { return time.ParseDuration(text) }
	return kind{decode: decode, set: set, show: func(v any) any { return v.(time.Duration).String() }}
}

func timeKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		text, ok := raw.(string)
		if !ok {
			return nil, d.expected("config.Genesis", raw)
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, d.failed(err)
		}
		return t.UTC(), nil
	}
	set := func(text string, _ any) (any, error) {
		t, err := time.Parse(time.RFC3339, text)
		return t.UTC(), err
	}
	return kind{decode: decode, set: set, show: func(v any) any { return v.(time.Time).Format(time.RFC3339) }}
}

var errRatio = errors.New("malformed string representing big.Rat was provided")

func ratioKind() kind {
	set := func(text string, _ any) (any, error) {
		if len(text) > 64 {
			return nil, errRatio
		}
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			return nil, errRatio
		}
		return r, nil
	}
	decode := func(d decoding, raw, _ any) (any, error) {
		switch v := raw.(type) {
		case json.Number:
			f, err := v.Float64()
			if err != nil {
				return nil, d.failed(errRatio)
			}
			return new(big.Rat).SetFloat64(f), nil
		case string:
			r, err := set(v, nil)
			if err != nil {
				return nil, d.failed(err)
			}
			return r, nil
		}
		return nil, d.expected("big.Rat", raw)
	}
	return kind{decode: decode, set: set, show: func(v any) any { return v.(*big.Rat).String() }}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func zeroIfEmpty(text string) string {
	if text == "" {
		return "0"
	}
	return text
}
