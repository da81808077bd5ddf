package nodeconfig

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Place is what settings that depend on the machine are filled in with.
type Place struct {
	// Home, Temp and ExeDir are directories.
	Home, Temp, ExeDir string
	Now                time.Time
	CPUs               int
}

// Machine describes this one.
func Machine() Place {
	home, _ := os.UserHomeDir()
	exe, _ := os.Executable()
	return Place{Home: home, Temp: os.TempDir(), ExeDir: filepath.Dir(exe), Now: time.Now().UTC(), CPUs: runtime.NumCPU()}
}

// Expand fills in what depends on the machine.
func (c *Config) Expand(p Place) *Config {
	out := c.clone()
	dirs := strings.NewReplacer("$HOME", p.Home, "$TMPDIR", p.Temp, "$EXEDIR", p.ExeDir)
	for _, s := range settings() {
		text, ok := out.values[s.path].(string)
		if !ok || c.given[s.path] || !ofMachine(text) {
			continue
		}
		switch text {
		case "$NOW":
			out.values[s.path] = p.Now.Truncate(time.Second)
		case "$CPU/2":
			out.values[s.path] = int64(max(1, p.CPUs/2))
		case "$CPU3/4":
			out.values[s.path] = uint64(max(1, p.CPUs*3/4))
		default:
			out.values[s.path] = dirs.Replace(text)
		}
	}
	return out
}
