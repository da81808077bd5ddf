// Package tasks is the queue of work for machines: PostInit, PostProve, K2Pow and
// PostVerify (architecture §4).
//
// The row is the truth. Workers take rows over the bus, beat while they work and
// finish them; every taking has a number, and only the last may beat or finish:
//
//	            take: attempt+1                finish: done, with the result
//	waiting ──────────────────────► running ─────────────────────────────► done
//	   ▲                               │ └──── finish: failed, cancelled, late ─► failed
//	   └── back (with a pause), or no beat for Lost ┘
//
// The nearest deadline goes first. What a task brings is stored in the
// transaction that completes it. Data of an identity lies on one disk (a store):
// the first worker that begins it keeps it, and only workers with that disk are
// given its tasks; an identity whose post-service is connected is proved by that
// service alone.
//
// Wake-ups are hints; workers and waiters poll as well. Several activations may
// serve one queue: all state is in the rows.
//
// Space makes of the queue what identities ask for (internal/smeshing).
package tasks
