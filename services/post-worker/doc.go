// Package postworker is the service that does identities' heavy work: it makes
// and proves data of space, solves proofs of work and verifies proofs.
//
// It owns no rows. It takes tasks from activation's queue over the bus, says that
// it is alive and how far it is, and brings results; files are in its data
// directory, in the layout that other tools of the network read:
//
//	data-dir/store                       the disk's name in the queue
//	data-dir/<node id, hex>/postdata_*   one identity's data (spec 02 §3)
//	data-dir/postdata_*                  or one identity's alone, as a node has it
//
// Invariants:
//   - Files are the truth: a run goes on where they end, whoever began them.
//   - Data of another identity is never touched, nor data that has more units
//     than are wanted.
//   - A proof is verified before it is handed in.
//   - What a full or read-only disk stops goes back to the queue and comes again.
//
// README.md has metrics, limits, and what happens when things fail.
package postworker
