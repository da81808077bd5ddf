package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// loader is the package that tests read vectors through.
const loader = "github.com/smeshery/smeshery/internal/vectors"

// suite is what to run: the tests of all files that import the loader, and the
// packages they are in.
type suite struct {
	packages []string
	tests    []string
}

// findSuite looks through the test files below the current directory.
func findSuite() (suite, error) {
	var s suite
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && skipped(path, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return s.addFile(path)
	})
	slices.Sort(s.packages)
	slices.Sort(s.tests)
	s.packages, s.tests = slices.Compact(s.packages), slices.Compact(s.tests)
	return s, err
}

// skipped are directories that hold no package of this module.
func skipped(path, name string) bool {
	return strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || path == "test"
}

func (s *suite) addFile(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	reads := slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
		name, err := strconv.Unquote(i.Path.Value)
		return err == nil && name == loader
	})
	if !reads {
		return nil
	}
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
			s.tests = append(s.tests, fn.Name.Name)
			s.packages = append(s.packages, "./"+filepath.ToSlash(filepath.Dir(path)))
		}
	}
	return nil
}
