// Package mempool decides which transactions to keep, to relay and to propose,
// and which transactions a block holds in which order (spec 07 §13–§15).
//
// Pool estimates the nonce and the balance of every account that has unexecuted
// transactions, on the assumption that each of them costs all it may cost. It
// holds at most MaxNonces transactions an account, one a nonce; the rest waits in
// the database, from where Reload and Rebuild bring it back. Judge is what
// happens to a transaction that a peer sent.
//
// Which transactions a node proposes is its own affair. Which a block holds is
// consensus: BlockTxs gives every node the same list.
//
// A Pool does no I/O: what to store is in the result of a call, and what to read
// is handed in as a Snapshot. After a failed write the pool is to be rebuilt.
//
// Invariants:
//   - Per account, nonces ascend, and every post balance is the one before it
//     minus the transaction's spending.
//   - A transaction is in the index exactly if it is in its account's list.
//   - No output depends on the order in which a map is walked.
package mempool
