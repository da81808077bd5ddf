// Package worker closes rounds when their time comes, does their sequential work,
// and publishes the proofs (spec 03 §9.3, §10). One process at a time holds the
// lease and works; a round's files are on its disk.
//
//	open ─► closed (statement settled) ─► at work ─► proved
//	                                        └─► skipped: over before anything was done
//
// Failure: a crash costs the work since the last checkpoint, see
// pkg/poet/roundstore. Another process that takes over has no files and begins
// again with the time that is left: fewer leaves, the same deadline. Without
// Postgres work goes on, and the proof is saved when it is back.
package worker
