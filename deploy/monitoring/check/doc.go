// Package check runs the dashboards and alerts against a Prometheus that scrapes
// live processes, so that a panel without data or a rule that does not evaluate is
// found by a test and not by an operator.
//
// Start runs a Prometheus of its own, on the loopback address and a port that the
// kernel chooses; Panels and Rules ask any.
package check
