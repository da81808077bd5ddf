package lint

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shell are the packages below pkg/ that own I/O, time or goroutines. Everything
// else there is pure.
var shell = []string{
	"pkg/actor", "pkg/bus", "pkg/events", "pkg/store", "pkg/lease", "pkg/telemetry", "pkg/config", "pkg/sim", "pkg/keyfile",
	"pkg/post/randomx", "pkg/post/postdata", "pkg/poet/roundstore", "pkg/poet/poetclient",
}

// impure is what a pure package must not import.
var impure = []string{
	"net", "os", "context", "database/sql", "log", "io/ioutil", "sync", "math/rand", "math/rand/v2", "crypto/rand",
	"github.com/jackc/pgx", "github.com/nats-io", "github.com/prometheus", "runtime/debug", "syscall", "time/tzdata",
}

func under(dir string, tops []string) bool {
	return slices.ContainsFunc(tops, func(top string) bool { return dir == top || strings.HasPrefix(dir, top+"/") })
}

func isPure(dir string) bool { return strings.HasPrefix(dir, "pkg/") && !under(dir, shell) }

func TestPurePackagesImportNoIO(t *testing.T) {
	for _, f := range sources(t) {
		if !isPure(f.dir()) || f.isTest() {
			continue
		}
		for _, path := range f.imports() {
			if path == "sync" && f.dir() == "pkg/codec" {
				continue // a pool of scratch space, which no result depends on
			}
			require.False(t, under(path, impure), "%s is pure and imports %s", f.path, path)
			if inner, ok := strings.CutPrefix(path, module+"/"); ok {
				require.False(t, under(inner, shell), "%s is pure and imports the shell's %s", f.path, inner)
			}
		}
	}
}

func TestPurePackagesReadNoClockAndStartNothing(t *testing.T) {
	for _, f := range sources(t) {
		if !isPure(f.dir()) || f.isTest() {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s is pure and starts a goroutine", f.path)
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" &&
					slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep", "NewTimer", "NewTicker", "AfterFunc"}, n.Sel.Name) {
					t.Errorf("%s is pure and calls time.%s", f.path, n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestDependenciesPointInwards(t *testing.T) {
	for _, f := range sources(t) {
		dir := f.dir()
		for _, path := range f.imports() {
			inner, ok := strings.CutPrefix(path, module+"/")
			if !ok {
				continue
			}
			if strings.HasPrefix(dir, "pkg/") {
				require.False(t, under(inner, []string{"services", "cmd"}), "%s imports %s", f.path, inner)
			}
			if own, found := serviceOf(dir); found {
				other, isService := serviceOf(inner)
				require.False(t, isService && other != own, "service %s imports service %s in %s", own, other, f.path)
			}
		}
	}
}

// serviceOf is the service that a directory below services/ belongs to.
func serviceOf(dir string) (string, bool) {
	rest, ok := strings.CutPrefix(dir, "services/")
	name, _, _ := strings.Cut(rest, "/")
	return name, ok
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	docs, dirs := make(map[string]bool), make(map[string]bool)
	for _, f := range sources(t) {
		if f.isTest() || strings.HasPrefix(f.dir(), "cmd/") || f.ast.Name.Name == "main" {
			continue
		}
		dirs[f.dir()] = true
		if strings.HasSuffix(f.path, "/doc.go") && f.ast.Doc != nil {
			docs[f.dir()] = true
		}
	}
	for dir := range dirs {
		require.True(t, docs[dir], "%s has no doc.go with a package comment", dir)
	}
}

// TestSubjectsStandInTheBusPackage looks elsewhere for what reads like a subject,
// and for every subject that pkg/bus writes out.
func TestSubjectsStandInTheBusPackage(t *testing.T) {
	pattern := regexp.MustCompile(`^(gossip|sync|fetch)\.(in|out)?\.?[a-z0-9_*>]+$`)
	dotted := regexp.MustCompile(`^[a-z_]+(\.[A-Za-z0-9_*>-]+)+$`)
	declared := make(map[string]bool)
	all := sources(t)
	for _, f := range all {
		if f.dir() == "pkg/bus" && !f.isTest() {
			f.eachString(func(text string) {
				if dotted.MatchString(text) {
					declared[text] = true
				}
			})
		}
	}
	require.Contains(t, declared, "state.execute", "the pattern does not find subjects any more")
	for _, f := range all {
		if f.isTest() || f.dir() == "pkg/bus" || f.dir() == "internal/lint" {
			continue
		}
		f.eachString(func(text string) {
			if pattern.MatchString(text) || declared[text] {
				t.Errorf("%s writes out the subject %q", f.path, text)
			}
		})
	}
}

// write matches a statement that changes a table of a named schema.
var write = regexp.MustCompile(`(?i)\b(?:insert\s+into|update|delete\s+from|copy|truncate(?:\s+table)?)\s+([a-z_]+)\.[a-z_]+`)

func TestTablesHaveOneWriter(t *testing.T) {
	owners := []string{"activation", "consensus", "state", "poet", "gossip"}
	check := func(path, text string) {
		for _, m := range write.FindAllStringSubmatch(text, -1) {
			schema := strings.ToLower(m[1])
			if !slices.Contains(owners, schema) {
				continue
			}
			own, ok := serviceOf(pathDir(path))
			require.True(t, ok && own == schema, "%s writes to schema %s, which only services/%s may", path, schema, schema)
		}
	}
	for path, text := range sqlFiles(t) {
		check(path, text)
	}
	for _, f := range sources(t) {
		if f.isTest() || f.dir() == "internal/lint" {
			continue
		}
		f.eachString(func(text string) { check(f.path, text) })
	}
}

// TestNoSleepInTests spares files that use synctest: in its bubbles a sleep waits
// for no clock, and everything settles before it ends.
func TestNoSleepInTests(t *testing.T) {
	for _, f := range sources(t) {
		if !f.isTest() || slices.Contains(f.imports(), "testing/synctest") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && sel.Sel.Name == "Sleep" {
					t.Errorf("%s sleeps; wait for the condition", f.path)
				}
			}
			return true
		})
	}
}
