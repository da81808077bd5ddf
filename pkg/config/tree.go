package config

import (
	"encoding"
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// tree is a configuration's settings by name.
type tree struct {
	root   reflect.Value
	leaves []*leaf
	byPath map[string]*leaf
}

// leaf is a setting that has one text form.
type leaf struct {
	path  string
	usage string
	value reflect.Value
}

func describe(cfg any) (*tree, error) {
	v := reflect.ValueOf(cfg)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("configuration is a %T, want a pointer to a struct", cfg)
	}
	t := &tree{root: v.Elem(), byPath: make(map[string]*leaf)}
	env := make(map[string]string)
	if err := t.walk("", t.root); err != nil {
		return nil, err
	}
	for _, l := range t.leaves {
		if other, ok := env[envName(l.path)]; ok {
			return nil, fmt.Errorf("settings %s and %s share the variable %s", other, l.path, envName(l.path))
		}
		env[envName(l.path)] = l.path
		t.byPath[l.path] = l
	}
	return t, nil
}

func (t *tree) walk(path string, v reflect.Value) error {
	for f := range fields(v) {
		p := join(path, f.name)
		typ := f.value.Type()
		switch {
		case hasText(typ):
			t.leaves = append(t.leaves, &leaf{p, f.usage, f.value})
		case typ.Kind() == reflect.Struct:
			if err := t.walk(p, f.value); err != nil {
				return err
			}
		case typ.Kind() == reflect.Map && typ.Key().Kind() == reflect.String, typ.Kind() == reflect.Slice:
			// only in files
		default:
			return fmt.Errorf("setting %s has a type that cannot be read: %s", p, typ)
		}
	}
	return nil
}

type field struct {
	name, usage string
	value       reflect.Value
}

// fields lists a struct's settings, those of embedded structs among them.
func fields(v reflect.Value) iter.Seq[field] {
	return func(yield func(field) bool) { eachField(v, yield) }
}

func eachField(v reflect.Value, yield func(field) bool) bool {
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		tag := sf.Tag.Get("config")
		if !sf.IsExported() || tag == "-" {
			continue
		}
		if sf.Anonymous && tag == "" && sf.Type.Kind() == reflect.Struct {
			if !eachField(v.Field(i), yield) {
				return false
			}
			continue
		}
		if tag == "" {
			tag = kebab(sf.Name)
		}
		if !yield(field{tag, sf.Tag.Get("usage"), v.Field(i)}) {
			return false
		}
	}
	return true
}

// kebab turns DataDir into data-dir and RPCPort into rpc-port.
func kebab(name string) string {
	r := []rune(name)
	var b strings.Builder
	for i, c := range r {
		starts := i > 0 && unicode.IsUpper(c) && (!unicode.IsUpper(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1]))
		if starts {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

var (
	unmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	marshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	duration    = reflect.TypeFor[time.Duration]()
)

// isText tells whether a type reads itself from text.
func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(unmarshaler) }

func isScalar(k reflect.Kind) bool {
	switch k {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

// hasText tells whether a type can be set from a variable or a flag.
func hasText(t reflect.Type) bool {
	if isText(t) || isScalar(t.Kind()) {
		return true
	}
	return t.Kind() == reflect.Slice && (isText(t.Elem()) || isScalar(t.Elem().Kind()))
}

func describeType(t reflect.Type) string {
	switch {
	case t == duration:
		return "a duration such as 10s"
	case isText(t):
		return "a text"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	}
	return "a number"
}

// setText reads a value from text; a list's elements are separated by commas.
func setText(v reflect.Value, s string) error {
	t := v.Type()
	switch {
	case isText(t):
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
	case t == duration:
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is not %s", s, describeType(t))
		}
		v.SetInt(int64(d))
		return nil
	case t.Kind() == reflect.Slice:
		return setList(v, s)
	}
	return setScalar(v, s)
}

func setScalar(v reflect.Value, s string) error {
	bad := fmt.Errorf("%q is not %s", s, describeType(v.Type()))
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		if s != "true" && s != "false" {
			return bad
		}
		v.SetBool(s == "true")
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(s, v.Type().Bits())
		if err != nil {
			return bad
		}
		v.SetFloat(f)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number of %d bits", s, v.Type().Bits())
		}
		v.SetInt(n)
	default:
		n, err := strconv.ParseUint(s, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole positive number of %d bits", s, v.Type().Bits())
		}
		v.SetUint(n)
	}
	return nil
}

func setList(v reflect.Value, s string) error {
	var parts []string
	if s = strings.TrimSpace(s); s != "" {
		parts = strings.Split(s, ",")
	}
	out := reflect.MakeSlice(v.Type(), len(parts), len(parts))
	for i, p := range parts {
		if err := setText(out.Index(i), strings.TrimSpace(p)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// getText is the inverse of setText.
func getText(v reflect.Value) string {
	switch {
	case v.Type() == duration:
		return time.Duration(v.Int()).String()
	case v.Type().Implements(marshaler):
		b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return ""
		}
		return string(b)
	case v.Kind() == reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = getText(v.Index(i))
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v.Interface())
}
