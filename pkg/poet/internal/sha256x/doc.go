// Package sha256x computes SHA-256 the way the sequential work of spec 03 §3
// needs it: long chains in which every message is the digest before it, two such
// chains side by side for checking, and short messages assembled in place.
//
// Where the processor has the SHA instructions the state, the message words and
// the digest stay in registers from one hash to the next, so a chain runs at the
// latency of the round instruction. Elsewhere crypto/sha256 does the work. Both
// give the same bytes; which one runs is fixed when an Engine is made.
package sha256x
