// Package hare is agreement on the proposals of one layer: hare3 and hare4
// (spec 05 §3–§11). The versions are one implementation; a parameter decides
// between them.
//
// Layers of the package, from the inside:
//   - Protocol is the state machine of one layer: messages and round ticks in,
//     what to say, coin and result out.
//   - Hare holds the sessions, judges gossip, paces rounds and, in hare4,
//     exchanges full proposal lists. It asks for proofs and signatures of any
//     number of identities as effects.
//
// Invariants:
//   - The same inputs in the same order give the same effects.
//   - All identities of a session say the same.
//   - A message gets into a session only with a signature and seats that hold,
//     so memory is bounded by the committee; what is remembered before that is
//     bounded by constants.
//   - A stranger can neither stop a session nor make it panic.
//
// Values of this package belong to one goroutine.
package hare
