package source

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/smeshery/smeshery/pkg/network"
)

// Values of a configuration, in every spelling that existing nodes take
// (spec 09 §11.2).

// scalar is a value as text, without the quotes of a string.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int](raw json.RawMessage) (T, error) {
	s := scalar(raw)
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v > maxOf[T]() {
		return 0, fmt.Errorf("%s is no whole number from 0 to %d", s, maxOf[T]())
	}
	return T(v), nil
}

func boolean(raw json.RawMessage) (bool, error) {
	switch s := strings.ToLower(scalar(raw)); s {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	default:
		return false, fmt.Errorf("%s is neither true nor false", s)
	}
}

func text(raw json.RawMessage) (string, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", errors.New("want text")
	}
	return s, nil
}

// duration is text such as "1h30m", or a number of nanoseconds.
func duration(raw json.RawMessage) (time.Duration, error) {
	s := scalar(raw)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return time.Duration(n), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s is no duration such as 1h30m or 700ms", s)
	}
	return d, nil
}

func instant(raw json.RawMessage) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, scalar(raw))
	if err != nil {
		return t, fmt.Errorf("%s is no time such as 2023-07-14T08:00:00Z", scalar(raw))
	}
	return t.UTC(), nil
}

func difficulty(raw json.RawMessage) (d [32]byte, err error) {
	b, err := hex.DecodeString(scalar(raw))
	if err != nil || len(b) != len(d) {
		return d, fmt.Errorf("want %d hex characters", 2*len(d))
	}
	return [32]byte(b), nil
}

func fraction(raw json.RawMessage) (network.Fraction, error) {
	r, ok := new(big.Rat).SetString(scalar(raw))
	if !ok || r.Sign() < 0 || !r.Num().IsUint64() || !r.Denom().IsUint64() {
		return network.Fraction{}, fmt.Errorf("%s is no ratio such as 1/3", scalar(raw))
	}
	return network.Fraction{Num: r.Num().Uint64(), Denom: r.Denom().Uint64()}, nil
}
