package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// flattenJSON lists the scalars of a document in the order they stand there,
// with marks around lists: what is left of a value when names are taken away.
func flattenJSON(t *testing.T, raw []byte) (out []string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	type frame struct {
		object bool
		isKey  bool
	}
	var stack []frame
	for {
		tok, err := dec.Token()
		if err != nil {
			return out
		}
		if d, ok := tok.(json.Delim); ok {
			switch d {
			case '{':
				stack = append(stack, frame{object: true, isKey: true})
			case '[':
				stack = append(stack, frame{})
				out = append(out, "[")
			case '}':
				stack = stack[:len(stack)-1]
			case ']':
				stack = stack[:len(stack)-1]
				out = append(out, "]")
			}
			if (d == '}' || d == ']') && len(stack) > 0 && stack[len(stack)-1].object {
				stack[len(stack)-1].isKey = true
			}
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].object {
			if stack[n-1].isKey {
				stack[n-1].isKey = false
				continue
			}
			stack[n-1].isKey = true
		}
		if tok == nil {
			out = append(out, "null")
		} else {
			out = append(out, fmt.Sprint(tok))
		}
	}
}

// flattenValue does the same to a message.
func flattenValue(v reflect.Value) []string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return []string{"null"}
		}
		return flattenValue(v.Elem())
	case reflect.Struct:
		var out []string
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if name == "Hare4" || name == "CompactProposals" && !v.FieldByName("Hare4").Bool() {
				continue
			}
			out = append(out, flattenValue(v.Field(i))...)
		}
		return out
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, v.Len())
			reflect.Copy(reflect.ValueOf(b), v)
			return []string{hex.EncodeToString(b)}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return []string{hex.EncodeToString(v.Bytes())}
		}
	case reflect.String:
		return []string{v.String()}
	default:
		return []string{fmt.Sprint(v.Interface())}
	}
	out := []string{"["}
	for i := range v.Len() {
		out = append(out, flattenValue(v.Index(i))...)
	}
	return append(out, "]")
}

func requireSameValue(t *testing.T, want json.RawMessage, got any) {
	t.Helper()
	require.Equal(t, flattenJSON(t, want), flattenValue(reflect.ValueOf(got)))
}
