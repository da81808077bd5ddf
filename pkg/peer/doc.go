// Package peer holds what two nodes say to each other below the protocols' own
// messages, as far as it needs no connection: framing of requests, gossip message
// ids, the handshake's prologue and cookie, the files of the host, what identify
// announces, whom to dial, the time check, and the ranking of peers (spec 08).
// Sub-packages: fetch (requests for objects), catchup (sync state, fork finder)
// and bootstrap (fallback documents).
//
// Invariants:
//   - Nothing here opens, dials, waits or reads a clock: readers and writers of
//     bytes come in as arguments, and so does the time.
//   - What a peer declares is checked before memory is spent on it.
//   - A peer's mistake is one of the errors of errors.go; each says what the shell
//     does to the stream or the connection.
package peer
