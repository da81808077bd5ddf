// Package tortoise counts the votes of ballots for blocks, decides which blocks
// are valid, keeps the node's own opinion on every layer and writes it as the
// votes of the next ballot (spec 06 §8, §9).
//
//	ATXs, beacons, blocks ──┐                        ┌── Updates ──▶ mesh ── OnApplied ─┐
//	ballots: Decode, Store ─┼─▶ layers and margins ──┤                                  │
//	hare, coin, malfeasance ┘        ▲               └── EncodeVotes ─▶ next ballot     │
//	                               Tally ◀──────────────────────────────────────────────┘
//
// There are two ways to count. In verifying mode, which is cheap, only ballots
// that agree with the local opinion count. In full mode every vote of every
// ballot counts for or against every block. becomeFull and becomeVerifying are
// the only transitions.
//
// A ballot names its votes as differences to those of a base ballot. Decoded
// votes are a chain with one link a layer; ballots share what they have in
// common (see chain). Full counting walks that shared structure once for all
// ballots of a layer, not once a ballot.
//
// Invariants:
//   - Layers up to Evicted are forgotten; they can be neither voted on nor built
//     upon. Layers up to Processed are counted. Verified may move back.
//   - A ballot is stored only if its votes hash to the opinion that was signed.
//   - Sums of weights are exact, so the order of counting does not matter, and the
//     state is a function of the sequence of inputs.
//   - Updates repeats itself until OnApplied tells that the mesh followed.
//   - Input from peers costs time and memory in proportion to the layers and
//     exceptions it names, which Decode bounds; it never panics.
//
// After a crash Restore continues from a snapshot, exactly; without one it
// rebuilds from stored objects as spec 06 §9.14 has it.
//
// A Tortoise is not safe for use by several goroutines at once.
package tortoise
