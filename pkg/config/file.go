package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// parse reads YAML, of which JSON is a part, into the tree.
func (l *loader) parse(name string, b []byte) {
	d := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) { // an empty file changes nothing
			l.add(name, "", "%s", err)
		}
		return
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		l.add(name, "", "more than one document")
		return
	}
	f := &file{l, name}
	f.value("", doc.Content[0], l.tree.root)
}

type file struct {
	*loader
	name string
}

func (f *file) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d:%d", f.name, n.Line, n.Column) }

// value puts a node into v, and tells every problem below it.
func (f *file) value(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		f.add(f.at(n), path, "aliases are not supported")
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	switch {
	case isText(v.Type()) || isScalar(v.Kind()):
		f.scalar(path, n, v)
	case v.Kind() == reflect.Struct:
		f.object(path, n, v)
	case v.Kind() == reflect.Map:
		f.dictionary(path, n, v)
	default:
		f.list(path, n, v)
	}
}

func (f *file) scalar(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		f.add(f.at(n), path, "want %s", describeType(v.Type()))
		return
	}
	if err := setText(v, n.Value); err != nil {
		f.add(f.at(n), path, "%s", err)
	}
}

func (f *file) object(path string, n *yaml.Node, v reflect.Value) {
	known := make(map[string]reflect.Value)
	for field := range fields(v) {
		known[field.name] = field.value
	}
	f.pairs(path, n, func(key, value *yaml.Node) {
		field, ok := known[key.Value]
		if !ok {
			f.add(f.at(key), join(path, key.Value), "no such setting%s", suggest(key.Value, known, ""))
			return
		}
		f.value(join(path, key.Value), value, field)
	})
}

func (f *file) dictionary(path string, n *yaml.Node, v reflect.Value) {
	out := reflect.MakeMap(v.Type())
	f.pairs(path, n, func(key, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		f.value(join(path, key.Value), value, element)
		out.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), element)
	})
	v.Set(out)
}

// pairs visits a mapping's entries and refuses repeated keys.
func (f *file) pairs(path string, n *yaml.Node, visit func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		f.add(f.at(n), path, "want a group of settings")
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			f.add(f.at(key), path, "want a name")
			continue
		}
		if seen[key.Value] {
			f.add(f.at(key), join(path, key.Value), "appears twice")
			continue
		}
		seen[key.Value] = true
		visit(key, n.Content[i+1])
	}
}

func (f *file) list(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		f.add(f.at(n), path, "want a list")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		f.value(fmt.Sprintf("%s[%d]", path, i), item, out.Index(i))
	}
	v.Set(out)
}
