package nodeconfig

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
)

// whole reads a JSON number as the bits of an integer. What does not fit wraps, as
// it does in go-spacemesh, and is noted.
func whole(d decoding, raw json.Number, bits int, signed bool) (uint64, error) {
	f, _, err := big.ParseFloat(string(raw), 10, 256, big.ToZero)
	if err != nil || f.IsInf() || f.MantExp(nil) > 256 {
		return 0, d.failed(fmt.Errorf("number %s out of range", raw))
	}
	n, exact := f.Int(nil)
	if exact != big.Exact {
		d.odd("%s is not a whole number", raw)
	}
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(bits))
	if signed {
		high.Rsh(high, 1)
		low.Neg(high)
	}
	if n.Cmp(low) < 0 || n.Cmp(high) >= 0 {
		d.odd("%s does not fit; the smallest value is %s, the largest %s", raw, low, new(big.Int).Sub(high, big.NewInt(1)))
	}
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	n.Mod(n, modulus)
	if signed && n.Cmp(high) >= 0 {
		n.Sub(n, modulus)
		return uint64(n.Int64()), nil
	}
	return n.Uint64(), nil
}

func intKind(name string, bits int) kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		switch raw := raw.(type) {
		case bool:
			return int64(bit(raw)), nil
		case json.Number:
			n, err := whole(d, raw, bits, true)
			return int64(n), err
		case string:
			n, err := strconv.ParseInt(zeroIfEmpty(raw), 0, bits)
			if err != nil {
				return nil, fmt.Errorf("cannot parse '%s' as int: %w", d.path, err)
			}
			return n, nil
		}
		return nil, d.expected(name, raw)
	}
	set := func(text string, _ any) (any, error) { return strconv.ParseInt(text, 0, bits) }
	return kind{decode: decode, set: set}
}

func uintKind(name string, bits int, asText bool) kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		switch raw := raw.(type) {
		case bool:
			return uint64(bit(raw)), nil
		case json.Number:
			return whole(d, raw, bits, false)
		case string:
			n, err := strconv.ParseUint(zeroIfEmpty(raw), 0, bits)
			if err != nil {
				return nil, fmt.Errorf("cannot parse '%s' as uint: %w", d.path, err)
			}
			return n, nil
		}
		return nil, d.expected(name, raw)
	}
	k := kind{decode: decode, set: func(text string, _ any) (any, error) { return strconv.ParseUint(text, 0, bits) }}
	if asText {
		k.show = func(v any) any { return strconv.FormatUint(v.(uint64), 10) }
	}
	return k
}

// providerKind is the device that initialises: a number, or nil for none chosen.
func providerKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		if raw == nil {
			return nil, nil
		}
		n, ok := raw.(json.Number)
		if !ok {
			return nil, d.failed(fmt.Errorf("invalid provider ID value: %v", raw))
		}
		id, err := strconv.ParseUint(string(n), 10, 32)
		if err != nil {
			return nil, d.failed(fmt.Errorf("invalid provider ID value: %s", n))
		}
		return id, nil
	}
	set := func(text string, _ any) (any, error) {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("failed to parse PoST Provider ID (%w)", err)
		}
		return id, nil
	}
	return kind{decode: decode, set: set}
}

// powFlagsKind are the flags of RandomX, of which this node makes nothing; nil is
// what the processor recommends.
func powFlagsKind() kind {
	number := uintKind("uint32", 32, false)
	inner := number.decode
	number.decode = func(d decoding, raw, old any) (any, error) {
		if raw == nil {
			return nil, nil
		}
		return inner(d, raw, old)
	}
	return number
}

func difficultyKind() kind {
	set := func(text string, _ any) (any, error) {
		raw, err := hex.DecodeString(text)
		if err != nil {
			return nil, err
		}
		if len(raw) != 32 {
			return nil, fmt.Errorf("expected 32 bytes, got %d", len(raw))
		}
		return [32]byte(raw), nil
	}
	decode := func(d decoding, raw, _ any) (any, error) {
		text, ok := raw.(string)
		if !ok {
			return nil, d.expected("activation.PowDifficulty", raw)
		}
		v, err := set(text, nil)
		if err != nil {
			return nil, d.failed(err)
		}
		return v, nil
	}
	show := func(v any) any {
		b := v.([32]byte)
		return hex.EncodeToString(b[:])
	}
	return kind{decode: decode, set: set, show: show}
}

var errDeprecatedField, errDeprecatedFlag = errors.New("use of deprecated config field"), errors.New("use of deprecated flag")

// deprecatedKind refuses every value, so that nobody believes that it counts.
func deprecatedKind() kind {
	decode := func(d decoding, raw, _ any) (any, error) {
		if m, ok := raw.(map[string]any); ok && len(m) == 0 {
			return struct{}{}, nil
		}
		return nil, d.failed(errDeprecatedField)
	}
	return kind{decode: decode, set: func(string, any) (any, error) { return nil, errDeprecatedFlag }}
}
