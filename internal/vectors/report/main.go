// Command report runs the vector tests of the whole project and prints a line
// a vector file, then how many passed and failed. A file that no test
// reads counts as failed.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/smeshery/smeshery/internal/vectors"
)

// event is a line of `go test -json`.
type event struct {
	Action string
	Test   string
	Output string
}

// tally is what became of a file's cases.
type tally struct{ passed, failed int }

func main() {
	files, err := listFiles(vectors.Dir())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tallies, runErr := runTests(context.Background(), files)
	ok := report(files, tallies)
	if runErr != nil {
		fmt.Fprintln(os.Stderr, "vectors:", runErr)
	}
	if !ok || runErr != nil {
		os.Exit(1)
	}
}

// listFiles names every vector file as area/file.json.
func listFiles(dir string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*", "*.json*"))
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("no vector files in %s: %w", dir, err)
	}
	names := make(map[string]bool)
	for _, path := range found {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return nil, err
		}
		names[strings.TrimSuffix(filepath.ToSlash(rel), ".gz")] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func runTests(ctx context.Context, files []string) (map[string]*tally, error) {
	found, err := findSuite()
	if err != nil {
		return nil, err
	}
	run := "^(" + strings.Join(found.tests, "|") + ")$"
	args := append([]string{"test", "-count=1", "-timeout=20m", "-json", "-run", run}, found.packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	tallies := count(out, files)
	return tallies, cmd.Wait()
}

// count adds up the outcome of the leaves below each file's subtest.
func count(out io.Reader, files []string) map[string]*tally {
	tallies := make(map[string]*tally)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		if e.Action == "output" && strings.Contains(e.Output, "[build failed]") {
			fmt.Print(e.Output)
		}
		if e.Action != "pass" && e.Action != "fail" {
			continue
		}
		name := fileOf(e.Test)
		if name == "" || !slices.Contains(files, name) {
			continue
		}
		t := tallies[name]
		if t == nil {
			t = new(tally)
			tallies[name] = t
		}
		if e.Action == "pass" {
			t.passed++
		} else {
			t.failed++
			fmt.Println("     failed", e.Test)
		}
	}
	return tallies
}

// fileOf finds area/file.json in a test's name; the file's own subtest counts
// as one case, so that files which are checked as a whole are seen too.
func fileOf(test string) string {
	parts := strings.Split(test, "/")
	for i := 1; i+1 < len(parts); i++ {
		if strings.HasSuffix(parts[i+1], ".json") {
			return parts[i] + "/" + parts[i+1]
		}
	}
	return ""
}

// report prints the lines and tells whether all is as it should be.
func report(files []string, tallies map[string]*tally) bool {
	var passed, failed int
	for _, name := range files {
		t := tallies[name]
		switch {
		case t == nil:
			failed++
			fmt.Printf("FAIL     %s: no test reads it\n", name)
		case t.failed > 0:
			failed++
			fmt.Printf("FAIL     %s: %d of %d failed\n", name, t.failed, t.failed+t.passed)
		default:
			passed++
			fmt.Printf("ok       %s: %d\n", name, t.passed)
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	return failed == 0
}
