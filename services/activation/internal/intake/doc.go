// Package intake takes batches of ATXs from bytes to rows.
//
//	decode, signatures ──► load ──► judge ──► space proofs ──► commit
//	   (all cores)          one      pkg/atx    (all cores)     one
//	                      round trip    ▲           │       transaction
//	                                    └── bad ────┘
//
// A batch is judged as if every proof of space that it asks for were good, and
// what was asked for is then verified on all cores. If all is good, as among honest
// peers, the judgement stands; if not, the batch is judged again with the answers
// that are known now. The verdict is the same as if each ATX had been verified in
// its turn.
//
// ATXs see what those before them in the batch changed (View's overlay). An ATX
// goes behind its dependencies, wherever they stand in the batch. A batch is cut
// behind an ATX that marries identities, because that rewrites sets.
//
// A batch is committed under the lock of the feeds. If the heads of the feeds
// moved since the batch was loaded, somebody else wrote: rows are loaded and
// everything is judged again, now under the lock; proofs stay verified.
//
// An error of ours is the outcome's Err with an unknown verdict, or the error of
// Handle; then nothing of the part that failed is stored.
package intake
