// Package rangesync reconciles two sets of 32-byte keys over one stream by
// comparing fingerprints of ranges and halving those that differ (spec 08 §10).
// No released node speaks it; it is for own nodes and off by default.
//
// Session is one side's state machine: it takes one message and returns the
// messages to write. Set is what it works on; Keys is the set in memory.
//
// Invariants:
//   - The sides take turns. A turn ends with EndRound, or with Done when the side
//     has nothing left to find out.
//   - Keys are added the moment they arrive, so that the answer to the range they
//     belong to sees them.
//   - A fingerprint is the exclusive or of key prefixes: it finds differences
//     between honest sides, and a peer that forges one only fools itself.
//   - Memory for a message is bounded by the bytes that arrived for it, and a
//     session's bytes and messages by its Budget.
package rangesync
