package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/smeshery/smeshery"

// goFile is a parsed source file with its place in the project.
type goFile struct {
	path string // slash-separated, from the project's root
	ast  *ast.File
}

func (f goFile) dir() string  { return pathDir(f.path) }
func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// imports lists the paths that the file imports.
func (f goFile) imports() []string {
	out := make([]string, 0, len(f.ast.Imports))
	for _, spec := range f.ast.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, path)
	}
	return out
}

// eachString visits every string literal but import paths.
func (f goFile) eachString(visit func(text string)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				visit(text)
			}
		}
		return true
	})
}

func pathDir(p string) string { return filepath.ToSlash(filepath.Dir(p)) }

// sources parses every Go file of the project once per test.
func sources(t *testing.T) []goFile {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []goFile
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") && name != ".." || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		files = append(files, goFile{path: filepath.ToSlash(rel), ast: parsed})
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(files), 20, "the walk did not find the project")
	return files
}

// sqlFiles reads every .sql file below services and pkg.
func sqlFiles(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	out := make(map[string]string)
	for _, top := range []string{"services", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".sql" {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			out[filepath.ToSlash(rel)] = string(raw)
			return err
		})
		require.NoError(t, err)
	}
	return out
}
