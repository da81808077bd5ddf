// Package codec is the SCALE encoding of the Spacemesh protocol (spec 01 §2).
//
// A type describes its layout once, in a method Code(*Coder); the same
// description drives encoding and decoding, so that the two cannot drift apart.
//
// Invariants:
//   - Decoding reads from a byte slice and never allocates more than a small
//     multiple of what remains of the input, whatever length a peer declares
//     (spec 01 §2.10).
//   - The first error wins and sticks; a Coder that failed reads and writes
//     nothing more. Errors are one of the sentinels of errors.go, wrapped with
//     the offset at which they were found.
//   - Decoded values share no memory with the input.
//   - Encoding what was decoded gives the canonical form, which differs from the
//     input only in the cases spec 01 §2.9 names.
package codec
