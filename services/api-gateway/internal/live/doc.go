// Package live tells the API's streams what happens (spec 09 §7).
//
// A Hub follows the stream of all events, alone for its process, reads once what
// an event only names, and hands it to the subscriptions of its kind:
//
//	EVENTS (JetStream) ──► Hub.Run ──► reads Postgres ──► Emit ──► Subscription ──► gRPC stream
//	clock's hint ─────────────────────────────────────────► Status     (bounded)
//	log records ≥ error ──────────────────────────────────► Errors
//	user events ──► ring of the last 100 ─────────────────► Users
//
// Invariants:
//   - Emit never waits. A subscription whose reader is slow overflows, and its
//     stream ends; nobody else notices.
//   - Nothing is read for kinds that nobody subscribed.
//   - Postgres away holds the hub back, and JetStream keeps what it has not read:
//     later is all that happens.
//   - A subscription and the copy of the ring that belongs to it are made under
//     one lock: there is neither gap nor repeat between them.
//
// The stream outlives the process, so the ring is filled from it at start.
package live
