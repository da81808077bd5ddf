// Package atx judges activations: the proofs by which identities become
// eligible, and the weight they get (spec 04 §2, §8–§16).
//
// Rules.Process takes a decoded Message from arrival to Effects, which is all
// that has to be stored, told and gossiped about it. It reads stored state
// through State, and has proofs of space checked through Proofs, so that the
// caller decides where that work runs and can count it apart. A Message
// remembers which checks it passed:
//
//	Arrived → Signed → WellFormed → judged
//
// Arrived is what Decode returns. Signed is entered with a signature that
// verifies, singly or from a batch; WellFormed when the rules that need no other
// ATX hold. A Message that lacks dependencies stays WellFormed: the caller
// fetches Outcome.Missing and calls Process again, and nothing is checked twice.
//
// Beside that the package holds what the identity's own life is computed with:
// when to register and until when to prove (timing.go, nipost.go), which ATX to
// build on (positioning.go), and the verification of whole chains (chain.go).
//
// Invariants:
//   - The blob that arrived is what is stored; IDs are computed over the decoded
//     value (spec 01 §2.9). The first blob stored under an ID stays.
//   - Nothing a peer sends makes a check divide by zero, index out of range or
//     dereference an absent part (spec 04 §22.6–22.9).
//   - Only a RuleError rejects. A missing dependency or a failure of ours is never
//     held against a peer.
package atx
