// Package lease lets one process at a time own something, such as an identity,
// decided by Postgres.
//
// A lease is a row: a name, its holder, when it expires by the database's clock,
// and a term. The term grows by one with every acquisition, and the row is never
// deleted, so a term names one tenure for ever.
//
//	       acquire (expired or never held): term+1
//	free ──────────────────────────────────────────► held ─┐ renew: same term
//	  ▲                                                │   ◄┘
//	  └── resign, or TTL without a renewal ◄───────────┘
//
// Two protections, of different kinds:
//
//  1. The trust window. A holder believes in its lease until
//     start of the last successful attempt + TTL - Margin, by its own clocks;
//     Term answers only inside it. The database's expiry starts later than ours,
//     so the window ends before another can acquire. It guards what has no row,
//     above all the publishing of what was signed.
//
//  2. The term, in the same statement as every guarded write. It guards rows
//     against a holder that is wrong about the time:
//
//     WITH held AS (
//     SELECT name FROM lease WHERE name = $1 AND term = $2 FOR SHARE
//     )
//     INSERT INTO guard (…) SELECT … FROM held
//
// Zero rows means stop. FOR SHARE is part of the rule: it makes the next
// acquisition wait for this transaction's commit, and makes this statement look
// again if it waited for an acquisition. A check in an earlier statement, or
// without the lock, is none.
//
// Clocks. Windows are measured by the clock that counts suspended time and by the
// wall clock, whichever says that more passed; a clock that jumps ahead costs us
// trust until the next renewal, one that jumps back costs nothing, because the
// other still counts.
//
// Failure: without Postgres the trust window passes and Term answers no; when
// Postgres is back the same term is renewed if nobody took the lease, otherwise
// the loss is reported and the lease is tried for again under a new term. If the
// answer to an acquisition was lost, the next attempt of the same process takes
// the lease over from itself, under a new term.
package lease
