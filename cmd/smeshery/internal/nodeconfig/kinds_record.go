package nodeconfig

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Poet is a PoET that identities register at.
type Poet struct {
	Address string `json:"address"`
	// Pubkey signs its certificates; may be missing.
	Pubkey []byte `json:"pubkey"`
}

// Upgrade changes a committee's size from a layer on.
type Upgrade struct {
	Layer uint64 `json:"layer,string"`
	Size  uint64 `json:"size"`
}

// Window is a tortoise window for layers of the past.
type Window struct{ Start, End, Window uint64 }

// Weight is a minimal weight from an epoch on.
type Weight struct{ Epoch, Weight uint64 }

// Server bounds the requests of a protocol.
type Server struct {
	Interval        time.Duration
	Queue, Requests int64
}

// field is a member of a record.
type field struct {
	name string
	kind kind
	put  func(v any)
}

// record reads an object into its fields; names do not care for case.
func record(d decoding, raw any, fields ...field) error {
	m, ok := raw.(map[string]any)
	if !ok {
		return fmt.Errorf("'%s' expected a map, got '%s'", d.path, form(raw))
	}
	var unknown []string
	var errs []error
	list, _ := entries(d, m)
	for _, e := range list {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == e.key })
		if i < 0 {
			unknown = append(unknown, e.key)
			continue
		}
		if e.value == nil {
			continue
		}
		v, err := fields[i].kind.decode(d.sub("."+e.key), e.value, nil)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fields[i].put(v)
	}
	if len(unknown) > 0 {
		errs = append(errs, fmt.Errorf("'%s' has invalid keys: %s", d.path, strings.Join(unknown, ", ")))
	}
	return errors.Join(errs...)
}

func number(name string, bits int, to *uint64) field {
	return field{name, uintKind(fmt.Sprintf("uint%d", bits), bits, false), func(v any) { *to = v.(uint64) }}
}

// list reads the records of a list.
func list[T any](d decoding, raw any, read func(d decoding, raw any, to *T) error) (any, error) {
	if raw == nil {
		return []T(nil), nil
	}
	in, ok := raw.([]any)
	if !ok {
		in = []any{raw}
	}
	out := make([]T, len(in))
	var errs []error
	for i := range in {
		errs = append(errs, read(d.sub(fmt.Sprintf("[%d]", i)), in[i], &out[i]))
	}
	return out, errors.Join(errs...)
}

func base64Kind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		text, ok := raw.(string)
		if !ok {
			return nil, d.expected("types.Base64Enc", raw)
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, d.failed(err)
		}
		return b, nil
	}
	return kind{decode: decode}
}

func poetsKind() kind {
	read := func(d decoding, raw any, p *Poet) error {
		return record(d, raw,
			field{"address", stringKind(), func(v any) { p.Address = v.(string) }},
			field{"pubkey", base64Kind(), func(v any) { p.Pubkey = v.([]byte) }})
	}
	decode := func(d decoding, raw, _ any) (any, error) { return list(d, raw, read) }
	set := func(text string, _ any) (any, error) {
		var raw any
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("parsing PoET servers: %w", err)
		}
		return decode(decoding{path: "poet-servers"}, raw, nil)
	}
	return kind{decode: decode, set: set}
}

func upgradeKind() kind {
	decode := func(d decoding, raw, old any) (any, error) {
		if raw == nil {
			return (*Upgrade)(nil), nil
		}
		u := new(Upgrade)
		if before, ok := old.(*Upgrade); ok && before != nil {
			*u = *before
		}
		return u, record(d, raw, number("layer", 32, &u.Layer), number("size", 16, &u.Size))
	}
	return kind{decode: decode}
}

func windowsKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		return list(d, raw, func(d decoding, raw any, w *Window) error {
			return record(d, raw, number("start", 32, &w.Start), number("end", 32, &w.End), number("window", 32, &w.Window))
		})
	}
	return kind{decode: decode}
}

func weightsKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		return list(d, raw, func(d decoding, raw any, w *Weight) error {
			return record(d, raw, number("epoch", 32, &w.Epoch), number("weight", 64, &w.Weight))
		})
	}
	return kind{decode: decode}
}

func serversKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		pairs, err := entries(d, raw)
		if err != nil {
			return nil, err
		}
		out := make(map[string]Server, len(pairs))
		var errs []error
		for _, e := range pairs {
			var s Server
			errs = append(errs, record(d.sub("["+e.key+"]"), e.value,
				field{"interval", durationKind(), func(v any) { s.Interval = v.(time.Duration) }},
				field{"queue", intKind("int", 64), func(v any) { s.Queue = v.(int64) }},
				field{"requests", intKind("int", 64), func(v any) { s.Requests = v.(int64) }}))
			out[e.key] = s
		}
		return out, errors.Join(errs...)
	}
	return kind{decode: decode}
}
