package monitoring

import (
	"regexp"
	"strings"
)

// Dashboard is a page of panels.
type Dashboard struct {
	// UID names the dashboard in links and its file.
	UID   string
	Title string
	Rows  []Row
}

// Row is a titled group of panels.
type Row struct {
	Title  string
	Panels []Panel
}

// Panel is a graph, or a number if Stat.
type Panel struct {
	Title string
	// Help says what is to be seen, where the title does not.
	Help string
	// Unit is Grafana's: short, s, bytes, ops, percentunit.
	Unit string
	Stat bool
	// Stacked adds the lines up.
	Stacked bool
	Queries []Query
}

// Query is a line, or a line for each label.
type Query struct {
	// Expr is PromQL. Metrics stand without the label network, which Narrow adds;
	// $__rate_interval is Grafana's.
	Expr   string
	Legend string
}

// Dashboards are all of them.
func Dashboards() []Dashboard {
	return []Dashboard{networkBoard(), consensusBoard(), identitiesBoard(), postBoard(), poetBoard(), busBoard(), databaseBoard(), apiBoard()}
}

// Services are those that connect to the bus, as their metrics name them.
func Services() []string {
	return []string{"activation", "api_gateway", "consensus", "gossip", "post_worker", "state"}
}

// OnPostgres are the services that have a pool.
func OnPostgres() []string {
	return []string{"activation", "api_gateway", "consensus", "poet", "state"}
}

// Leased are the services that work under a lease of their own.
func Leased() []string { return []string{"consensus", "poet", "state"} }

// Outboxes are the services with an outbox.
func Outboxes() []string { return []string{"activation", "consensus", "state"} }

// each makes a query for each service; SERVICE in expr stands for it.
func each(services []string, expr, legend string) []Query {
	out := make([]Query, len(services))
	for i, s := range services {
		out[i] = Query{strings.ReplaceAll(expr, "SERVICE", s), strings.ReplaceAll(legend, "SERVICE", s)}
	}
	return out
}

// any makes one expression of all services', told apart by the label service.
func anyOf(services []string, expr string) string {
	parts := make([]string, len(services))
	for i, s := range services {
		parts[i] = `label_replace(` + strings.ReplaceAll(expr, "SERVICE", s) + `, "service", "` + s + `", "", "")`
	}
	return strings.Join(parts, "\nor ")
}

// orZero shows 0 where nothing has happened yet, and so no series exists.
func orZero(expr string) string { return "(" + expr + ") or on() vector(0)" }

// selector is a metric with the labels that are asked for.
var selector = regexp.MustCompile(`\b((?:smeshery|go|process)_[a-z0-9_]+)(\{[^}]*\})?`)

// Narrow restricts an expression to the networks that are chosen on the dashboard.
func Narrow(expr string) string {
	return selector.ReplaceAllStringFunc(expr, func(s string) string {
		name, labels, has := strings.Cut(s, "{")
		if !has {
			return name + `{network=~"$network"}`
		}
		return name + `{network=~"$network", ` + labels
	})
}

// Metrics are the names of the metrics that an expression reads.
func Metrics(expr string) (names []string) {
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		names = append(names, m[1])
	}
	return names
}
