// Package atxcache keeps what consensus needs of the ATXs of some epochs in
// memory: who may take part in an epoch, and with what weight (spec 04 §13).
//
// Entries of one target epoch lie in flat chunks, two cache lines each with what is read
// most in the first, found through two open-addressing indexes: by ATX and by identity. Nothing in them is a
// pointer, so that the garbage collector has a handful of objects to look at
// however many ATXs there are. A million ATXs take about 152 MB.
//
// Invariants:
//   - The first entry for an ATX stays.
//   - An entry of a malicious identity says so, whichever was known first.
//   - Epochs before the one that was evicted last take no more entries.
//
// A Cache has no lock. Any number of goroutines may read it while none writes.
package atxcache
