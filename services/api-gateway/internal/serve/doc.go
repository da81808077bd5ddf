// Package serve opens listeners and serves gRPC services on them: limits of sizes,
// keepalive, reflection, health, recovery from panics, logs and metrics are the
// same for every service (spec 09 §2).
//
// It knows nothing of what the services do: they come as Service values.
//
// Invariants:
//   - A panic in a handler ends the call as Internal, never the process.
//   - Nothing a client sends is unbounded: messages, streams of a connection,
//     connections of a listener and headers have limits.
package serve
