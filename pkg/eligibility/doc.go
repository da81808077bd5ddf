// Package eligibility is the hare eligibility oracle: how many committee seats
// an identity has in a layer and round, and whether such a claim is true
// (spec 05 §2). Hare and block certification share it.
//
// Invariants:
//   - A count is the first crossing of a linear walk over the distribution,
//     which need not be monotone in its last bit; the table that makes it a
//     binary search gives the same answer.
//   - An active set that was computed for an epoch is not computed again while
//     it is cached; only becoming synced drops it.
//   - Memory is bounded: five active sets, and a fixed number of tables.
//
// An Oracle belongs to one goroutine.
package eligibility
