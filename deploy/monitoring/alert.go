package monitoring

import (
	"fmt"
	"strings"
	"time"
)

// Severity says who is to be told.
type Severity string

// Severities.
const (
	// Critical: rewards are lost now, or will be before the next working day.
	Critical Severity = "critical"
	// Warning: look at it in working hours.
	Warning Severity = "warning"
)

// Alert is a rule with its entry in the runbook.
type Alert struct {
	Name     string
	Expr     string
	For      time.Duration
	Severity Severity
	// Summary is one line with the labels of the series.
	Summary string
	// Means, Look and Do are the entry: what it is and costs, where to look, what
	// to do, in this order.
	Means, Look, Do string
}

// Group is alerts of one subject.
type Group struct {
	Name   string
	Title  string
	Alerts []Alert
}

// Groups are all alerts.
func Groups() []Group {
	return []Group{leaseAlerts(), layerAlerts(), identityAlerts(), workAlerts(), poetAlerts(), busAlerts(), databaseAlerts(), processAlerts()}
}

// Rules is the rule file.
func Rules() []byte {
	var b strings.Builder
	b.WriteString("# Written by make generate from deploy/monitoring/*.go. Do not edit.\ngroups:\n")
	for _, g := range Groups() {
		fmt.Fprintf(&b, "  - name: smeshery-%s\n    rules:\n", g.Name)
		for _, a := range g.Alerts {
			fmt.Fprintf(&b, "      - alert: %s\n        expr: |-\n", a.Name)
			for line := range strings.Lines(a.Expr) {
				fmt.Fprintf(&b, "          %s\n", strings.TrimRight(line, "\n"))
			}
			if a.For > 0 {
				fmt.Fprintf(&b, "        for: %ds\n", int(a.For.Seconds()))
			}
			fmt.Fprintf(&b, "        labels:\n          severity: %s\n        annotations:\n          summary: %q\n          runbook: %q\n",
				a.Severity, a.Summary, "deploy/monitoring/runbook.md#"+strings.ToLower(a.Name))
		}
	}
	return []byte(b.String())
}

// Runbook is the runbook.
func Runbook() []byte {
	var b strings.Builder
	b.WriteString("<!-- Written by make generate from deploy/monitoring/*.go. Do not edit. -->\n\n# Runbook\n\n" +
		"An entry for every alert of `rules/smeshery.rules.yml`. *Critical* costs rewards now or before long; *warning* can wait for\n" +
		"working hours. Losing a reward is allowed; signing two things for one slot is not. So if in doubt, stop a process: what it held\n" +
		"goes to another, and the guard's rows keep both from contradicting each other. Never delete rows of `activation.signed_slots`.\n\n" +
		"Logs carry `service`, `layer`, `epoch`, `smesher`, `term`; the dashboards are named in the entries.\n")
	for _, g := range Groups() {
		fmt.Fprintf(&b, "\n## %s\n", g.Title)
		for _, a := range g.Alerts {
			fmt.Fprintf(&b, "\n### %s\n\n*%s*", a.Name, a.Severity)
			if a.For > 0 {
				fmt.Fprintf(&b, ", after %s", a.For)
			}
			fmt.Fprintf(&b, "\n\n- **Means:** %s\n- **Look:** %s\n- **Do:** %s\n", a.Means, a.Look, a.Do)
		}
	}
	return []byte(b.String())
}

// rises is true for counters that rose within a window.
func rises(expr, window string) string { return "increase(" + expr + "[" + window + "])" }
