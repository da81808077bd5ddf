// Package ledger is the shell around the state machine: it applies and reverts
// layers, one at a time, and reads accounts through a cache.
//
//	load (all cores): transactions ─► accounts ─► signatures
//	apply (pure):     vm.Machine.Apply
//	write (one database transaction): accounts, results, rewards, marker, event
//
// Invariants:
//   - A layer is in the database entirely or not at all; the marker (state.layers)
//     says which, and there is never a gap.
//   - The transaction that writes holds the lock of layers, and finds the tip that
//     the layer was computed on, or writes nothing. So what another process did
//     meanwhile, or a commit whose answer was lost, cannot be built upon by mistake.
//   - The cache holds accounts of the tip only: it follows commits, and forgets all
//     when it cannot know.
//
// Failure: an error leaves the state as it was, or, if the connection was lost in
// the commit, as the rows say; a repeat of the request finds out and answers.
package ledger
