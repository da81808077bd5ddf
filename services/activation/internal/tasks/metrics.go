package tasks

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
)

type metrics struct {
	ended *prometheus.CounterVec
	open  *prometheus.GaugeVec
	age   *prometheus.GaugeVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smeshery_activation_tasks_total", Help: "What happened to tasks for machines: taken, done, failed, back, lost, late.",
		}, []string{"kind", "event"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "smeshery_activation_tasks_open", Help: "Tasks that wait or run.",
		}, []string{"kind", "state"}),
		age: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "smeshery_activation_tasks_oldest_seconds", Help: "Age of the oldest task that waits or runs.",
		}, []string{"kind", "state"}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.ended, m.open, m.age} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("task metrics: %w", err)
		}
	}
	return m, nil
}

// count measures the queue.
func (q *Queue) count(ctx context.Context) error {
	rows, err := q.db.Query(ctx, countsSQL)
	if err != nil {
		return fmt.Errorf("count tasks: %w", err)
	}
	type key struct {
		kind  bus.TaskKind
		state bus.TaskState
	}
	open, age := make(map[key]float64), make(map[key]float64)
	for rows.Next() {
		var kind, state int16
		var n int64
		var oldest float64
		if err := rows.Scan(&kind, &state, &n, &oldest); err != nil {
			return fmt.Errorf("count tasks: %w", err)
		}
		k := key{bus.TaskKind(kind), bus.TaskState(state)}
		open[k], age[k] = float64(n), oldest
	}
	names := map[bus.TaskState]string{bus.TaskWaiting: "waiting", bus.TaskRunning: "running"}
	for _, kind := range bus.TaskKinds() {
		for state, name := range names {
			q.metrics.open.WithLabelValues(kind.String(), name).Set(open[key{kind, state}])
			q.metrics.age.WithLabelValues(kind.String(), name).Set(age[key{kind, state}])
		}
	}
	return rows.Err()
}
