// Package executor turns a block into what the state machine applies, and an
// execution into a block (spec 07 §9).
//
// It is pure: order is checked against the last applied layer that the caller
// names, data is read through Reader, and what to write is in the Outcome. The
// caller has one execution at a time, and writes an outcome together with the
// layer's marker in one database transaction, so that there is no half-applied
// layer to repair.
//
// Invariants:
//   - A transaction that an earlier layer executed is not executed again.
//   - An error means that nothing may be written. Missing means that data has to
//     be fetched first; everything else is ours.
package executor
