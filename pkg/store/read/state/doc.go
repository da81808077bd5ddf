// Package state holds the queries that other services make on state's tables:
// the feed of blocks, bodies of blocks and transactions, which layers are applied,
// versions of accounts, rewards, and results of transactions.
//
// A layer's rows become visible together, in one transaction. Whoever needs
// several answers about one moment asks them in one repeatable-read transaction.
package state
