package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// fields is a JSON object by field name. The protobuf mapping accepts each
// field under two names and ignores unknown ones (spec 03 §12.4).
type fields map[string]json.RawMessage

func parseFields(raw []byte) (fields, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	if bytes.TrimSpace(raw)[0] != '{' {
		return nil, fmt.Errorf("expected an object: %.20q", raw)
	}
	var f fields
	err := json.Unmarshal(raw, &f)
	return f, err
}

// get returns a field that is there and not null.
func (f fields) get(names ...string) (json.RawMessage, bool) {
	for _, name := range names {
		if raw, ok := f[name]; ok && string(raw) != "null" {
			return raw, true
		}
	}
	return nil, false
}

func (f fields) object(dst *fields, names ...string) (present bool, err error) {
	raw, ok := f.get(names...)
	if !ok {
		return false, nil
	}
	*dst, err = parseFields(raw)
	return true, err
}

func (f fields) text(dst *string, names ...string) error {
	raw, ok := f.get(names...)
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		return fmt.Errorf("field %s: %w", names[0], err)
	}
	return nil
}

// bytes reads standard or URL-safe base64 with or without padding.
func (f fields) bytes(dst *[]byte, names ...string) error {
	var text string
	if err := f.text(&text, names...); err != nil {
		return err
	}
	decoded, err := decodeBase64(text)
	if err != nil {
		return fmt.Errorf("invalid value for bytes field %s: %q", names[0], text)
	}
	*dst = decoded
	return nil
}

func decodeBase64(text string) ([]byte, error) {
	encoding := base64.StdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.URLEncoding
	}
	if len(text)%4 != 0 {
		encoding = encoding.WithPadding(base64.NoPadding)
	}
	return encoding.DecodeString(text)
}

func (f fields) list(dst *[][]byte, names ...string) error {
	raw, ok := f.get(names...)
	if !ok {
		return nil
	}
	var texts []string
	if err := json.Unmarshal(raw, &texts); err != nil {
		return fmt.Errorf("field %s: %w", names[0], err)
	}
	for _, text := range texts {
		decoded, err := decodeBase64(text)
		if err != nil {
			return fmt.Errorf("invalid value for bytes field %s: %q", names[0], text)
		}
		*dst = append(*dst, decoded)
	}
	return nil
}

// unsigned reads an integer written as a number or as a string.
func (f fields) unsigned(dst *uint64, bits int, names ...string) error {
	raw, ok := f.get(names...)
	if !ok {
		return nil
	}
	text := strings.Trim(string(raw), `"`)
	value, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		value, err = wholeFloat(text, bits)
	}
	if err != nil {
		return fmt.Errorf("invalid value for uint%d field %s: %s", bits, names[0], raw)
	}
	*dst = value
	return nil
}

// wholeFloat reads notations such as 1e3 and 6.0, which the mapping allows.
func wholeFloat(text string, bits int) (uint64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, err
	}
	if value < 0 || value != math.Trunc(value) || value >= math.Ldexp(1, min(bits, 53)) {
		return 0, strconv.ErrRange
	}
	return uint64(value), nil
}

func (f fields) timestamp(dst **time.Time, names ...string) error {
	var text string
	if _, ok := f.get(names...); !ok {
		return nil
	}
	if err := f.text(&text, names...); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("invalid value for timestamp field %s: %q", names[0], text)
	}
	*dst = &at
	return nil
}

func (f fields) duration(dst *time.Duration, names ...string) error {
	var text string
	if err := f.text(&text, names...); err != nil || text == "" {
		return err
	}
	value, err := time.ParseDuration(text)
	if err != nil || !strings.HasSuffix(text, "s") {
		return fmt.Errorf("invalid value for duration field %s: %q", names[0], text)
	}
	*dst = value
	return nil
}

// fraction prints nanoseconds in three, six or nine digits, whichever is enough.
func fraction(nanoseconds int) string {
	switch digits := fmt.Sprintf("%09d", nanoseconds); {
	case nanoseconds == 0:
		return ""
	case nanoseconds%1_000_000 == 0:
		return "." + digits[:3]
	case nanoseconds%1_000 == 0:
		return "." + digits[:6]
	default:
		return "." + digits
	}
}

func durationText(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("%s%d%ss", sign, d/time.Second, fraction(int(d%time.Second)))
}

func timestampText(at time.Time) string {
	at = at.UTC()
	return at.Format("2006-01-02T15:04:05") + fraction(at.Nanosecond()) + "Z"
}

// base64Text is bytes in the JSON of both sides; empty, not null, without any.
type base64Text []byte

func (b base64Text) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(b)), nil
}

func base64Texts(list [][]byte) []base64Text {
	texts := make([]base64Text, len(list))
	for i := range list {
		texts[i] = list[i]
	}
	return texts
}

// compact is JSON without escapes for HTML, as the protobuf mapping writes it.
func compact(v any) []byte {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		// Only our own structs of strings and integers come here.
		panic(err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
