// Package fetch is the request and response side of the fetch protocols: what a
// server writes for a request, what a client makes of a response, and which
// requests go to whom (spec 08 §5.3, §6).
//
// Server reads a Store and writes to an io.Writer; ReadIDs and ReadBatch read an
// io.Reader; Queue decides, and sends nothing itself.
//
// Invariants:
//   - A response is either data or a non-empty error text of at most 1024 bytes; a
//     server that fails in the middle of data says so by ending the stream.
//   - No request makes a server stop: layer 0 and rows without a certificate, over
//     which upstream nodes fall, are answered with errors (spec 08 §17).
//   - A client spends memory only on bytes that arrived and on objects it asked for.
//   - A hash is asked for once at a time, whoever wants it.
package fetch
