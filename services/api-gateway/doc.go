// Package apigateway serves the APIs that the network's existing clients use:
// gRPC spacemesh.v1, v2alpha1 and v2beta1, and JSON over HTTP (spec 09 §1–§10).
//
// It owns no tables. It reads those of the other services through pkg/store/read,
// asks them over the bus for what only lives in their memory, and follows the
// stream of events for subscriptions.
//
//	internal/serve     listeners, limits, health, reflection, recovery
//	internal/jsongw    the HTTP form of the public services
//	internal/node      what all services ask: rows, status, addresses, transactions
//	internal/v2        v2alpha1, and v2beta1 by the same handlers
//	internal/v1        v1
//	internal/live      subscriptions fed from the stream of events
//
// Invariants:
//   - It changes nothing but by requests over the bus, so any number of gateways
//     may run.
//   - A request costs a bounded number of rows, bytes and goroutines.
package apigateway
