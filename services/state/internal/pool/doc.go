// Package pool is the shell around the mempool: it gives the pure pool a lock,
// and reads for it what the database knows.
//
// Invariants:
//   - What the pool holds is stored, or is being stored by whoever added it. If that
//     fails, the pool is told (Doubt) and is read again from the rows.
//   - The lock is never held over a query. Transactions that arrive while the pool
//     is being read again are remembered and added once more afterwards.
//
// Failure: a pool that could not be read again stays as it is, which costs nothing
// but good choices, and is repaired by the next Repair.
package pool
