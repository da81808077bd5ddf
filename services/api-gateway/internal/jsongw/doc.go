// Package jsongw serves the public services as JSON over HTTP, in process, in the
// exact form that clients of the network's software know (spec 09 §9).
package jsongw
