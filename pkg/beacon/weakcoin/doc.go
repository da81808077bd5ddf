// Package weakcoin tosses the beacon's common coin, one for each epoch and
// voting round: the smallest VRF proof that any unit of any active identity can
// make decides it (spec 05 §17).
//
// States: an epoch is open from StartEpoch to FinishEpoch; a round is open from
// StartRound to FinishRound. Messages for the next round wait in a bounded
// buffer, unverified, because a peer's clock may run a little ahead.
//
// Invariants:
//   - Only a verified proof that is smaller than all before it is remembered, and
//     only such a proof is accepted; so at most a handful of messages a round
//     travel through the network.
//   - The buffer never holds more than Params.Buffer messages and is empty after
//     every StartRound.
//   - Nothing here is kept over a restart: a node that restarts sits the epoch out.
//
// It is pure: proofs are verified and made by the caller.
package weakcoin
