// Package state is the service that owns accounts: it stores blocks and
// transactions, applies agreed layers to accounts, reverts them when consensus
// changes its mind, and keeps the mempool (spec 06 §10.7, §13; spec 07 §7–§10,
// §13–§15).
//
//	gossip, fetches, clients ─► intake ─► transactions, blocks ─► feed to consensus
//	                               └────► pool ─► proposals
//	consensus ─► execute, revert ─► ledger ─► accounts, rewards, results, layers
//
// States: starting (schema, genesis), standby (another process holds the lease),
// ready, draining. One process at a time serves; the lease's term is checked in
// the transaction that changes layers, so a process that lost it without noticing
// changes nothing.
//
// Invariants are those of the packages in internal: ledger (a layer is one
// transaction), intake (judged once, stored by hash), pool (holds what is stored).
//
// Failure: kill -9 at any instruction loses nothing that was answered. What was
// committed is found again by the repeat of a request; what was not leaves no
// trace. Without Postgres requests fail, without NATS none come; both heal by
// themselves.
package state
