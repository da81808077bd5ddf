// Package sharing spreads identities over the processes that have their keys.
//
// Every process keeps a row alive. Of the processes whose rows are, and which have
// an identity's key, the one with the highest hash over both takes it (rendezvous
// hashing): all processes come to the same shares without talking, and when one
// comes or goes only what it takes or leaves moves.
//
// Shares only say who tries for a lease, and who gives one up. Who may sign is
// decided by the lease alone, so that it does no harm if processes disagree for a
// while.
package sharing
