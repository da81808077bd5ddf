// Package clock is time as the service sees it: a wall clock and timers that a
// test can own.
//
// Invariant: what waits for a moment looks at the wall clock again at least every
// second, so that a clock that is set, or a machine that slept, delays nothing by
// more.
package clock
