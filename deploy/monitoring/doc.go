// Package monitoring says how Smeshery is watched: Grafana dashboards, Prometheus
// alerts and the runbook that tells what to do about each.
//
// This package is their source. `make generate` writes what operators install:
//
//	dashboards/*.json         Grafana dashboards; the data source is a variable
//	rules/smeshery.rules.yml  alerts for Prometheus
//	runbook.md                an entry for every alert
//
// Several networks can share a Prometheus: give their targets a label "network".
// Without it everything is taken for one network. Thresholds that depend on a
// network are in units of its layers and epochs, which consensus exports.
//
// Package check runs everything against a live Prometheus.
package monitoring

//go:generate go run ./generate .
