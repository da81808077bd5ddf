// Package post holds the rules of Proof of Space-Time: what a label is, how data
// is laid out, which labels make a proof and when a proof is valid (spec 02
// §2–§9).
//
// The package computes and judges. It reads labels through io.ReaderAt and asks
// for RandomX through PowHasher; files, threads and libraries belong to the
// packages below it: postdata (directories), postdata/cpu (an Engine on all cores),
// randomx (the pow), service, certifier and k2pow (messages of the satellites).
//
// Invariants:
//   - A label depends on (commitment, index, N) only. Every kernel gives the
//     bytes of the plain one in scrypt.go.
//   - Verification accepts exactly what spec 02 §9.2 accepts. What §9.4 lists as
//     unchecked (duplicates, indices past the data, padding bits, a pow above 56
//     bits) stays unchecked.
//   - Verifier is safe for concurrent use; its memory is bounded by its number of
//     lanes of work, callers above that wait. Labeler, Scanner and Tally belong
//     to one goroutine at a time.
package post
