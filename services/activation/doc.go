// Package activation is the service that owns ATXs, PoET proofs and malfeasance,
// and the keys of identities.
//
// It judges what gossip and sync bring of those kinds, in batches (internal/intake),
// stores it (internal/db) and tells followers; and it signs for identities, behind
// the guard that keeps them from equivocating (internal/guard). README.md has
// its subjects, tables, metrics and queues, and what it does when things fail.
package activation
