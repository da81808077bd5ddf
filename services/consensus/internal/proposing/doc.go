// Package proposing makes the proposals of this node's identities (spec 06 §4–§6).
//
//	once an epoch      active set → slots of each identity → VRF proofs → schedule
//	once a layer       who has slots → opinion, mesh hash, transactions → ballots
//	                   signed in one batch → proposals signed in another → outbox
//
// All identities share the active set, the opinion and the mesh hash. What an epoch
// needs is made a moment before it begins, if its beacon is known by then, and
// otherwise in the first layer that can.
//
// Invariants:
//   - One ballot a layer and identity: the row that says how far an identity came
//     is written in the transaction that hands its proposal over to be published,
//     and only grows. Beneath it activation's guard refuses a second signature.
//   - A first ballot is built only after its active set is stored.
//   - Once an identity has a first ballot in the epoch, its beacon and slots are
//     those of that ballot, whatever became known since.
//
// Failure: whatever is missing in a layer (beacon, active set, a proof, a
// signature) costs the identities concerned that layer's reward and is tried again
// in the next one. A crash between signing and the commit may cost the layer; it is
// never built differently, because the guard remembers.
package proposing
