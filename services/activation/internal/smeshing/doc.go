// Package smeshing lives the life of the identities that this process holds:
// from the first proof of space over the registration at PoETs to an ATX in each
// epoch (spec 04 §4–5, §12, §20).
//
//	data ─► first proof ─► certificates ─► ┌► challenge ─► registrations ─► PoET proof ─► proof of space ─► ATX ┐
//	                                       └──────────────────────── next epoch ────────────────────────────────┘
//
// Each arrow is a transaction that holds the identity's lease under its term. A
// life reads the rows at the start of a round and does what they lack, so that a
// restart, or another process, goes on where the last one stopped, and makes the
// same ATX byte by byte. Signatures come from the guard; what it refuses is given up.
//
// What identities have in common is done once: the search for an ATX to build on
// (search), and everything about PoETs (internal/poets). Waiting is the business
// of internal/alarm, so that the clock may be moved.
//
// Failure: a round that fails is tried again as spec 04 §5.5 says, with rows kept
// or cleared accordingly, and the reason noted in the table of steps. Nothing of
// an identity ends the process.
package smeshing
