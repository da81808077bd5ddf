// Package guard holds the keys of identities and signs with them, once for each
// slot.
//
// An identity that signs two messages for one slot (two ATXs of an epoch, two
// ballots of a layer) is cancelled by the network for good. The guard makes that
// impossible, whatever crashes, whoever else believes to own the identity:
//
//	request ─► lease trusted? ─► one transaction:                      ─► sign
//	            (own clock)       term still ours · slot not in          (after the
//	                              quarantine · row new, or same bytes     commit)
//	                              · audit
//
// The row (identity, kind of slot, slot) → blake3 of the exact bytes, network
// prefix and domain included, is committed durably before the signature is
// computed. The same bytes may be signed again, others never. What slot a request
// takes, and whether it needs one, is the table of pkg/signing; what is not in it
// is not signed, and there is no way to have bytes of one's own choice signed.
//
// Batches. Thousands of requests cost one statement and get a verdict each. In
// a batch the first request for a slot wins.
//
// Ownership. The lease's term is compared in the statement that writes the row,
// with the lease locked for share: an owner that lost its lease without knowing
// writes nothing, and a new owner's term begins only after rows that were on
// their way.
//
// Backups. A database that was restored lacks the newest rows. Quarantine marks
// how far slots may have been signed in them; up to there nothing is signed, in
// each kind of slot, whatever it is. Losing a reward is allowed, being cancelled is
// not.
//
// Failure: with any error nothing is signed, and asking again is harmless. After
// a crash behind the commit the slot is taken, and the same bytes are signed when
// they are asked for again.
package guard
