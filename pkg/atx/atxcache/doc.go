// Package atxcache keeps what consensus needs of the ATXs of some epochs in
// memory: who may take part in an epoch, and with what weight (spec 04 §13).
//
// The ATXs of a target epoch lie in 1,024 hash tables by their IDs' first bits,
// and in each of them in buckets of sixteen by the bits that follow. A look-up
// reads a byte for each slot of a bucket, from an array of a byte per ATX, and
// then the entry itself. Sets that are sorted by ID, as active sets come, walk
// the buckets in the order in which they lie. Entries are two cache lines, with
// what is read most in the first. Nothing in them is a pointer, so that the
// garbage collector has some thousand objects to look at however many ATXs there
// are. Large tables grow by a sixth, so that from 400,000 ATXs on none takes more
// than 200 bytes; a million take about 188 MB.
//
// Invariants:
//   - The first entry for an ATX stays.
//   - An entry of a malicious identity says so, whichever was known first.
//   - Epochs before the one that was evicted last take no more entries.
//
// A Cache has no lock. Any number of goroutines may read it while none writes.
package atxcache
