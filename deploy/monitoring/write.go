package monitoring

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Files are all generated files by their paths below this directory.
func Files() (map[string][]byte, error) {
	out := map[string][]byte{"rules/smeshery.rules.yml": Rules(), "runbook.md": Runbook()}
	for _, d := range Dashboards() {
		b, err := d.JSON()
		if err != nil {
			return nil, err
		}
		out["dashboards/"+d.UID+".json"] = b
	}
	return out, nil
}

// Write writes the files below dir.
func Write(dir string) error {
	files, err := Files()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("directory of %s: %w", name, err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
