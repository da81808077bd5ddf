// Package db holds activation's tables: their migrations, and the statements that
// read and write them for whole batches at a time.
//
// Reading. A Loader gathers the questions of a batch and asks them in one round
// trip; every answer comes through a callback, and what was not found is silent.
//
// Writing. Changes is everything that a batch stores, in one transaction that
// holds the lock of the feeds (LockTx). Rows get their place in a feed under
// that lock, which is kept until the commit, so that a feed never shows a row
// below one that a follower has seen (docs/data.md).
//
// Unsigned values of 64 bits are stored as the same bits in a bigint and never
// compared in SQL.
package db
