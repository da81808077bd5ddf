// Package outbox makes "commit and tell others" one transaction.
//
// A service writes what it has to say as rows of its outbox table, in the
// transaction that made it true (AddTx). A Relay publishes the rows in the order
// of their ids and then marks them:
//
//	tx: domain rows + outbox rows ── commit ── Wake ──► Relay: read, publish, mark
//	                                  slow poll ───────────┘
//
// Delivery is at least once: a relay that dies between publishing and marking
// publishes again. The row's id is the NATS message id, so the stream drops
// repeats that come within its window; beyond it handlers must not mind them.
// Nothing is published inside a transaction.
//
// Order: rows of one transaction keep their order. Two transactions that
// commit at the same time have none, whatever their ids say.
//
// Failure: without NATS the rows wait, and the age of the oldest is a metric.
// A message that the stream refuses does not hold up those after it; it is
// tried again with each poll. Wake only makes it fast: what another process of the
// service committed, or what was committed before a crash, is found by the poll.
// Several relays of one service do no harm beyond repeats.
//
// The table is a part of the service's schema (Part), so its writer is the
// service. Marked rows are kept for a while for people to look at, then deleted.
package outbox
