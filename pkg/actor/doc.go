// Package actor is the shell around a protocol core: a bounded mailbox, a loop
// that handles one message at a time, and a supervisor that restarts the loop.
//
// What has a life of its own in a service is an actor: an identity, a hare
// session, a sync task. One goroutine decides; slow work runs outside and comes
// back as a message. An actor owns its core without locks, because nothing else
// may touch it.
//
//	Put ──► Mailbox ──► Actor.Handle ──► (one transaction) ──► effects
//	          │ full: Block, DropOldest or Refuse, chosen by whoever made it
//
// Invariants:
//   - A mailbox is bounded in messages, and in bytes where it is told how to
//     weigh them. Its overflow policy has no default.
//   - Messages leave a mailbox in the order in which they entered.
//   - After Close nothing enters; what is inside can still be taken.
//   - Run returns only when every goroutine it started has ended.
//
// Failure: a panic or an error of an actor ends that run of it. The supervisor
// builds a new one from what was persisted (its Start function) after a
// backoff, and counts the restart. Messages that waited stay in the mailbox; the
// one that was being handled is lost, as it would be in a crash, so handlers
// must be repeatable from their rows.
//
// Everything here runs under testing/synctest.
package actor
