// Package intake judges what comes from outside: transactions from gossip, from
// fetches and from clients, and blocks.
//
// Transactions come in batches. A batch costs one query for what is known, one
// for the accounts that the cache does not hold, one pass of batched signature
// checks, and one transaction that stores what is kept.
//
// A repeat is harmless: everything is stored by its hash, and what is stored is
// found before it is judged. The verdict on a peer comes from rules alone; what
// fails here is answered as an error, which is no verdict.
package intake
