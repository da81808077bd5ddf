// Package bus is how services talk: typed subjects over NATS.
//
// A subject is a function that returns an Endpoint (request and reply) or a
// Topic (publish and subscribe), beside the types that travel on it, in the file
// of the service that owns it: gossip.go, activation.go, consensus.go, state.go.
// No other file of the repository writes a subject as a string.
//
//	caller ── Endpoint.Call ──► NATS queue group ──► bounded queue ──► handler
//	   ▲                                                │ full: busy     │
//	   └──────────── reply, or code and text ◄──────────┴────────────────┘
//
// Invariants:
//   - Every request has a deadline. The caller's remaining time travels with it
//     as a duration, so that clocks need not agree; the handler's context ends
//     when it is over. What expired in the queue is answered without a handler.
//   - The queue group is the name of the service that owns the subject.
//   - Every queue is bounded in messages and bytes with a declared policy. A
//     queue that is full answers Busy. Block is refused on the gossip path.
//   - An error reply is a code and a text in headers and has no body. It is never
//     a verdict: Verdict's zero value is Unknown and that is what the caller of
//     a failed judgement holds.
//   - Bodies are the protocol's bytes, or one message in the encoding its
//     endpoint declares. What cannot be decoded is answered BadRequest.
//
// Delivery. Requests are at most once; a caller who hears nothing may repeat
// them, so every handler says why a repeat is harmless. Topics on a stream
// (stream.go) are at least once: the outbox publishes with the row's id as
// message id, consumers acknowledge after their own commit.
//
// Failure: without a server Call answers Unavailable; the connection returns by
// itself, however long it takes. A handler's panic is answered Internal and
// counted, and the worker goes on.
package bus
