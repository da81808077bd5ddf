// Package beacons runs the beacon protocol of pkg/beacon for this node (spec 05
// §12–§18): one protocol, to which ballots, gossip, the clock and the bootstrap
// rule report, and from which all others learn beacons.
//
//	ballots ─ Report ──┐                    ┌─► Adopt: row, tortoise, event
//	gossip ── Handle ──┼─► beacon.Protocol ─┼─► gossip.out.*
//	clock ─── Run ─────┘         ▲          └─► signatures and proofs, in one batch
//	                             └── answers ──────────┘
//
// Invariants:
//   - What Beacon answers was known to the protocol, and is stored or will be: a
//     beacon that could not be stored is tried again with every wake-up.
//   - Own messages are published once, after the protocol accepted them; when
//     gossip hands them back they are accepted without a second look.
//   - Locks: the protocol's comes before the engine's, never the other way around.
//
// Failure: a signature that is refused or does not come in time is a vote less. A
// process that starts in the middle of an epoch sits it out; in a network of one
// node that would leave the next epoch without a beacon, which the standalone rule
// fills (see Fallbacks).
package beacons
