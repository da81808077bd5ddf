package nodeconfig

import (
	"slices"
	"strings"
)

// idle are settings and sections that are accepted and have no effect here: they
// belong to go-spacemesh's SQLite databases, its supervised post-service, its caches
// and its profilers.
var idle = []string{
	"cache.", "main.db-", "main.filelock", "main.profiler-", "main.pprof-", "main.prune-activesets-from", "main.no-main-override",
	"postservice.", "public-metrics.", "vm.", "tortoise.tortoise-enable-tracer", "tortoise.tortoise-collect-details", "tortoise.layersize",
	"hare3.log-stats", "hare4.log-stats", "smeshing.smeshing-opts.smeshing-opts-provider", "smeshing.smeshing-opts.smeshing-opts-throttle",
	"smeshing.smeshing-opts.smeshing-opts-compute-batch-size", "smeshing.smeshing-verifying-opts.", "certificate.certifythreshold",
	"certificate.layerbuffer", "certificate.numlayerstokeep", "fetch.servers-metrics", "fetch.log-peer-stats-interval",
}

// Idle are the settings that were given and have no effect, by path.
func (c *Config) Idle() (out []string) {
	for path := range c.given {
		if slices.ContainsFunc(idle, func(p string) bool {
			return path == p || strings.HasPrefix(path, p) && (strings.HasSuffix(p, ".") || strings.HasSuffix(p, "-"))
		}) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}
