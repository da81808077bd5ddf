// Package postservice lets post-services of other machines prove for identities:
// they dial in, and from then on the node asks (spec 04 §6, spec 09 §6.4).
//
//	post-service ── Register ──► metadata? ──► registered under its node id
//	                 ◄── gen_proof(challenge), again every 2 s until a proof is there
//
// A connection takes the identity's PostProve tasks from the queue (package
// tasks), like a worker with that identity's disk: so an identity may live in one
// activation and its post-service be connected to another.
//
// Invariants:
//   - One connection for an identity, over all activations.
//   - On a connection one request has one response; they never overlap. A
//     response that comes after its request was given up is read and dropped.
//   - A proof is handed in only when it was verified, with the identity, the
//     challenge and the VRF nonce.
//
// The plain listener is for this machine and networks that are trusted; the other
// one wants client certificates. Neither tells who may register which identity.
package postservice
