// Package alarm waits for instants of a clock that a test may move by hand, or
// that a machine may set: it looks at the clock again and again, once for all
// that wait. Thousands of identities sleep for days in it at the price of one
// timer.
package alarm
