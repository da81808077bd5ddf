// Package registry is a PoET's front end: it takes registrations for the open
// round and answers for finished ones (spec 03 §8, §9.2). Any number of processes
// may run one.
//
// Registrations that come while a batch is being written are written together
// after it, so that a burst costs few transactions and a single one no delay.
//
// Failure: without Postgres registrations are answered as internal errors, which
// clients repeat. A round that the worker closed by its own clock is not argued
// about: the request is judged again for the next one.
package registry
