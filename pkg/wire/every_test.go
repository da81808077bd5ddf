package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
)

// parts are the types that have a layout of their own and that no vector names.
var parts = map[string]func() codec.Coded{
	"ATXMetadata":           func() codec.Coded { return new(ATXMetadata) },
	"AtxProof":              func() codec.Coded { return new(AtxProof) },
	"BallotProof":           func() codec.Coded { return new(BallotProof) },
	"HareProof":             func() codec.Coded { return new(HareProof) },
	"InvalidPostIndexProof": func() codec.Coded { return new(InvalidPostIndexProof) },
	"InvalidPrevAtxProof":   func() codec.Coded { return new(InvalidPrevAtxProof) },
	"HareMetadata":          func() codec.Coded { return new(HareMetadata) },
	"InnerATXV1":            func() codec.Coded { return new(InnerActivationTxV1) },
	"innerProposal":         func() codec.Coded { return innerProposal{new(Proposal)} },
	"MarryProof":            func() codec.Coded { return new(MarryProof) },
}

// every holds all messages and parts, and names lists them in a fixed order.
var (
	every = func() map[string]func() codec.Coded {
		all := maps.Clone(messages)
		maps.Copy(all, parts)
		return all
	}()
	names = slices.Sorted(maps.Keys(every))
)

// sample is a message of a vector file.
type sample struct {
	Type    string      `json:"type"`
	Encoded vectors.Hex `json:"encoded"`
}

// samples are the messages of all vector files of the types, valid and not.
func samples(t testing.TB) (out []sample) {
	for _, name := range []string{
		"atx_v1", "atx_v2", "ballot", "beacon", "block", "certificate", "decode_invalid", "fetch", "hare",
		"malfeasance", "malfeasance_v2", "nipost", "poet", "proposal", "tx_state",
	} {
		var file struct{ Cases []sample }
		vectors.Load(t, "types/"+name, &file)
		require.NotEmpty(t, file.Cases, name)
		out = append(out, file.Cases...)
	}
	return out
}

// TestEveryLayoutIsTested finds the types that describe a layout in the sources,
// so that a new one cannot stay outside the tables above.
func TestEveryLayoutIsTested(t *testing.T) {
	tested := make(map[string]bool)
	for _, name := range names {
		reach(reflect.TypeOf(every[name]()), tested)
	}
	for _, name := range layouts(t) {
		require.True(t, tested[name], "%s is in no table of every_test.go", name)
	}
}

// reach notes the named types that a value may consist of.
func reach(typ reflect.Type, seen map[string]bool) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		reach(typ.Elem(), seen)
	case reflect.Struct:
		for i := range typ.NumField() {
			reach(typ.Field(i).Type, seen)
		}
	}
	seen[typ.Name()] = true
}

// layouts lists the types with a method Code.
func layouts(t *testing.T) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == "Code" {
				typ := fn.Recv.List[0].Type
				if star, ok := typ.(*ast.StarExpr); ok {
					typ = star.X
				}
				out = append(out, typ.(*ast.Ident).Name)
			}
		}
	}
	require.Greater(t, len(out), 60)
	return out
}
