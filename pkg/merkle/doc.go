// Package merkle is the tree of the protocol: roots, proofs and their
// verification over a node function of the caller's (spec 01 §22).
//
// Leaves are used as they are, without hashing; odd levels are filled with 32
// zero bytes. A zero-length leaf that arrives at an even position vanishes: the
// next leaf takes its place.
//
// Verification has properties that a careful design would not have, and that the
// network relies on: extra high bits of a position do not matter, and leaves
// that are not reached before the nodes run out are never looked at. They are
// reproduced on purpose.
package merkle
