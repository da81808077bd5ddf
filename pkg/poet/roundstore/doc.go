// Package roundstore keeps a PoET round's sequential work on disk, so that a
// crash costs the work since the last checkpoint and never the round.
//
// A round's directory holds three files:
//
//	layer.bin  the nodes of the kept layer, 32 bytes each
//	work.bin   the last checkpoint, with a checksum
//	proof.bin  the proof, once there is one, with a checksum
//
// Invariants: work.bin and proof.bin are replaced by renaming a synced file, so
// each is whole or absent. layer.bin is synced before the checkpoint that counts
// on it, and what it holds beyond that is cut off on opening. A resumed round
// therefore ends in the same proof as an uninterrupted one. Damage that this
// cannot repair is reported as ErrLost and repaired by nobody silently.
//
// The protocol itself is in package poet (spec 03 §3, §10); this is its shell.
package roundstore
