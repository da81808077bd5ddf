// Package poet is the service that proves elapsed time: it takes registrations
// over HTTP and gRPC, closes rounds by the network's calendar, does their
// sequential work and publishes proofs (spec 03).
//
//	nodes ─► front end (any number) ─► Postgres ◄─ worker (one, by lease) ─► disk
//
// Invariants:
//   - What was acknowledged is in the statement of its round (services/poet/internal/db).
//   - One statement a round: it is settled once, in a transaction.
//   - The protocol is that of other PoET servers; nodes cannot tell them apart.
package poet
