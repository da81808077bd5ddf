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
	done  *prometheus.GaugeVec
	total *prometheus.GaugeVec
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
		done: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "smeshery_activation_tasks_done_units", Help: "What is done of the open tasks: labels, or bytes to prove over.",
		}, []string{"kind"}),
		total: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "smeshery_activation_tasks_total_units", Help: "How much the open tasks that have begun are, in the same units.",
		}, []string{"kind"}),
	}
	for _, kind := range bus.TaskKinds() {
		for _, event := range []string{"taken", "done", "failed", "back", "lost", "late"} {
			m.ended.WithLabelValues(kind.String(), event)
		}
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.ended, m.open, m.age, m.done, m.total} {
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
	done, total := make(map[bus.TaskKind]float64), make(map[bus.TaskKind]float64)
	for rows.Next() {
		var kind, state int16
		var n int64
		var oldest, did, all float64
		if err := rows.Scan(&kind, &state, &n, &oldest, &did, &all); err != nil {
			return fmt.Errorf("count tasks: %w", err)
		}
		k := key{bus.TaskKind(kind), bus.TaskState(state)}
		open[k], age[k] = float64(n), oldest
		done[k.kind] += did
		total[k.kind] += all
	}
	names := map[bus.TaskState]string{bus.TaskWaiting: "waiting", bus.TaskRunning: "running"}
	for _, kind := range bus.TaskKinds() {
		q.metrics.done.WithLabelValues(kind.String()).Set(done[kind])
		q.metrics.total.WithLabelValues(kind.String()).Set(total[kind])
		for state, name := range names {
			q.metrics.open.WithLabelValues(kind.String(), name).Set(open[key{kind, state}])
			q.metrics.age.WithLabelValues(kind.String(), name).Set(age[key{kind, state}])
		}
	}
	return rows.Err()
}
