// Package live shows a running network to whoever started it: a view that is
// redrawn on a terminal, and plain lines elsewhere.
//
// A State is what is known; a Watcher fills it from the stream of events, which
// wakes it, and from the services' tables, which have the truth. Render and Lines
// are functions of states alone: the view, and what changed between two of them.
package live
