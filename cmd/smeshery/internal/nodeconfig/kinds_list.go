package nodeconfig

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// items splits a list that may be one text.
func items(raw any) []any {
	switch raw := raw.(type) {
	case []any:
		return raw
	case string:
		if raw == "" {
			return []any{}
		}
		var out []any
		for part := range strings.SplitSeq(raw, ",") {
			out = append(out, part)
		}
		return out
	}
	return []any{raw}
}

func decodeStrings(d decoding, raw any) ([]string, error) {
	if raw == nil {
		return nil, nil
	}
	out := []string{}
	var errs []error
	for i, item := range items(raw) {
		v, err := decodeString(d.sub(fmt.Sprintf("[%d]", i)), item, nil)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, v.(string))
	}
	return out, errors.Join(errs...)
}

func stringsKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) { return decodeStrings(d, raw) }
	set := func(text string, old any) (any, error) {
		list, _ := old.([]string)
		if text == "" {
			return slices.Clone(list), nil
		}
		more, err := csv.NewReader(strings.NewReader(text)).Read()
		return append(slices.Clone(list), more...), err
	}
	return kind{decode: decode, set: set, adds: true}
}

func intsKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		if raw == nil {
			return []int64(nil), nil
		}
		out := []int64{}
		for i, item := range items(raw) {
			v, err := intKind("int", 64).decode(d.sub(fmt.Sprintf("[%d]", i)), item, nil)
			if err != nil {
				return nil, err
			}
			out = append(out, v.(int64))
		}
		return out, nil
	}
	return kind{decode: decode}
}

// protocols of addresses that this node can make something of, or that others use.
var protocols = []string{
	"ip4", "ip6", "ip6zone", "dns", "dns4", "dns6", "dnsaddr", "tcp", "udp", "quic", "quic-v1", "ws", "wss", "tls", "p2p", "ipfs",
	"p2p-circuit", "webtransport", "certhash", "unix", "http", "https", "sni", "noise", "webrtc-direct",
}

// checkAddress looks at the form of a multiaddress; peers' connections read it.
func checkAddress(text string) error {
	fail := func(reason string) error {
		return fmt.Errorf("address %s is not a valid multiaddr: failed to parse multiaddr %q: %s", text, text, reason)
	}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return fail("must begin with /")
	}
	if name, _, _ := strings.Cut(rest, "/"); !slices.Contains(protocols, name) {
		return fail("unknown protocol " + name)
	}
	return nil
}

func addressesKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		list, err := decodeStrings(d, raw)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			if err := checkAddress(a); err != nil {
				return nil, d.failed(err)
			}
		}
		return list, nil
	}
	k := stringsKind()
	set := func(text string, old any) (any, error) {
		for a := range strings.SplitSeq(text, ",") {
			if err := checkAddress(a); err != nil {
				return nil, err
			}
		}
		return k.set(text, old)
	}
	return kind{decode: decode, set: set, adds: true}
}

// entries are a map's pairs, keys in lower case and in order.
func entries(d decoding, raw any) ([]entry, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("'%s' expected a map, got '%s'", d.path, form(raw))
	}
	var out []entry
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, entry{strings.ToLower(key), m[key]})
	}
	return out, nil
}

type entry struct {
	key   string
	value any
}

// form is what Go calls the sort of a JSON value's type.
func form(raw any) string {
	switch raw.(type) {
	case json.Number:
		return "float64"
	case []any:
		return "slice"
	case map[string]any:
		return "map"
	}
	return fmt.Sprintf("%T", raw)
}

func accountsKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		if raw == nil {
			return map[string]uint64(nil), nil
		}
		list, err := entries(d, raw)
		out := make(map[string]uint64, len(list))
		for _, e := range list {
			v, err := uintKind("uint64", 64, false).decode(d.sub("["+e.key+"]"), e.value, nil)
			if err != nil {
				return nil, err
			}
			out[e.key] = v.(uint64)
		}
		return out, err
	}
	set := func(text string, old any) (any, error) {
		out, _ := old.(map[string]uint64)
		out = maps.Clone(out)
		if out == nil {
			out = make(map[string]uint64)
		}
		for pair := range strings.SplitSeq(text, ",") {
			address, amount, ok := strings.Cut(pair, "=")
			if !ok {
				return nil, fmt.Errorf("%s must be formatted as key=value", pair)
			}
			n, err := strconv.ParseUint(amount, 10, 64)
			if err != nil {
				return nil, err
			}
			out[address] = n
		}
		return out, nil
	}
	return kind{decode: decode, set: set}
}

func headersKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		if raw == nil {
			return map[string]string(nil), nil
		}
		list, err := entries(d, raw)
		out := make(map[string]string, len(list))
		for _, e := range list {
			v, err := decodeString(d.sub("["+e.key+"]"), e.value, nil)
			if err != nil {
				return nil, err
			}
			out[e.key] = v.(string)
		}
		return out, err
	}
	return kind{decode: decode}
}

// versionsKind is which ATX version counts from an epoch on.
func versionsKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		list, err := entries(d, raw)
		if err != nil {
			return nil, err
		}
		out := make(map[uint32]uint8, len(list))
		for _, e := range list {
			epoch, err := strconv.ParseUint(e.key, 10, 32)
			if err != nil {
				return nil, d.failed(err)
			}
			v, err := intKind("int", 64).decode(d, e.value, nil)
			if err != nil {
				return nil, err
			}
			if n := v.(int64); n < 1 || n > 2 {
				return nil, d.failed(fmt.Errorf("ATX version: %d not in range [V1:V2]", n))
			}
			out[uint32(epoch)] = uint8(v.(int64))
		}
		last := uint8(1)
		for _, epoch := range slices.Sorted(maps.Keys(out)) {
			if out[epoch] < last {
				return nil, d.failed(fmt.Errorf("cannot decrease ATX version from V%d to V%d", last, out[epoch]))
			}
			last = out[epoch]
		}
		return out, nil
	}
	return kind{decode: decode}
}
