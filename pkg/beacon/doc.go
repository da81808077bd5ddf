// Package beacon agrees on one 4-byte random value for every epoch (spec 05
// §12–§18): identities propose values with their VRF, vote on them in rounds,
// and break ties with a weak coin. The protocol that runs in epoch e makes the
// beacon of epoch e+1. Beacons also come from ballots of others and from
// bootstrap updates.
//
// Protocol is the state machine. Its states are Idle, Proposing, FirstVoting,
// Voting and Tossing; the last two alternate until the rounds are used up. Its
// inputs are Tick (the clock), Handle (a gossip message), Answer (a signature it
// asked for), StoredATX, ReportBallot, Fallback, Join and SetSync; every input
// returns Effects.
//
// Invariants:
//   - A beacon once known is replaced by a bootstrap update only (spec 05 §18.3–4).
//   - A node's own messages pass through Handle like those of others before they
//     appear in Effects.Publish, and are not published unless accepted.
//   - Every identity is asked for one signature a phase or round; the signer's
//     guard refuses a second one.
//   - Only beacons are persisted. A protocol made anew from its Reader sits out
//     the epoch it wakes in, so that a restart cannot vote twice (spec 05 §20.1).
//   - With Rounds = 0 nothing runs and every protocol message is refused; beacons
//     then come from ballots and bootstrap alone.
package beacon
