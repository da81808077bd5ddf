// Package hare runs pkg/hare live: the sessions of both versions in one goroutine,
// with proofs and signatures asked of activation, gossip in and out, and outputs
// handed on (spec 05 §4–§11).
//
//	OnLayer ─┐                              ┌─▶ Keys: proofs, signatures ─┐
//	Handle ──┼─▶ mailbox ─▶ Driver (cores) ─┼─▶ Publisher: gossip.out     │
//	rounds ──┘      ▲                       ├─▶ Node: coin, accusations   │
//	                │                       └─▶ Results: the layer's block│
//	                └──────────────── answers ◀───────────────────────────┘
//
// Invariants:
//   - One goroutine, Run's, touches the cores. Nothing there waits for I/O.
//   - Proofs and seats are made ahead of their rounds, from the end of the session
//     before, so that a round costs one request for signatures. What could not be
//     told ahead is asked for again when the session wants it.
//   - Seats that were counted here are not validated again when the own message
//     comes back signed; its signature is verified on the way to gossip, not before
//     it is judged.
//   - A driver starts no session of a layer that had begun when it was made: what
//     an earlier process said in it is not known here. What is signed goes through
//     activation's guard all the same, and a refusal only costs the reward.
//   - Proposals are added before the layer's preround; the store is shared with
//     the block generator and takes a lock of its own.
//
// Failure: activation away costs the identities their word in a round; gossip away
// costs what would have been published; a full mailbox answers busy, which gossip
// takes for no verdict.
package hare
