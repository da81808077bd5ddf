package telemetry

import (
	"maps"
	"slices"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
)

// disks tells how full the file systems are that directories lie on.
type disks struct {
	paths      map[string]string
	free, size *prometheus.Desc
}

// NewDisks makes a collector of how full the file systems are that directories
// lie on. Keys name the directories in labels; paths may not exist yet, and are
// then left out.
func NewDisks(paths map[string]string) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("smeshery_process_disk_"+name, help, []string{"directory"}, nil)
	}
	return &disks{
		paths: paths,
		free:  desc("free_bytes", "Room that is left for the process where a directory lies."),
		size:  desc("size_bytes", "Size of the file system that a directory lies on."),
	}
}

// Describe implements prometheus.Collector.
func (d *disks) Describe(ch chan<- *prometheus.Desc) {
	ch <- d.free
	ch <- d.size
}

// Collect implements prometheus.Collector.
func (d *disks) Collect(ch chan<- prometheus.Metric) {
	for _, name := range slices.Sorted(maps.Keys(d.paths)) {
		var st syscall.Statfs_t
		if d.paths[name] == "" || syscall.Statfs(d.paths[name], &st) != nil {
			continue
		}
		block := float64(st.Bsize)
		ch <- prometheus.MustNewConstMetric(d.free, prometheus.GaugeValue, float64(st.Bavail)*block, name)
		ch <- prometheus.MustNewConstMetric(d.size, prometheus.GaugeValue, float64(st.Blocks)*block, name)
	}
}
