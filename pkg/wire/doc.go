// Package wire holds every message of the Spacemesh protocol as it stands on
// the wire, and the identifiers that are hashes of such messages (spec 01
// §3–§16).
//
// Types here have a layout, an ID and the bytes that are signed; the rules that
// judge them live in the package that owns the subject (atx, proposal, hare …).
//
// Invariants:
//   - A type's Code method is its table in the spec, field by field.
//   - IDs and signed bytes are computed over the canonical re-encoding
//     (spec 01 §2.9); bytes that are stored are the ones that arrived.
//   - Nothing here knows a network's numbers: epochs and layers take them as
//     arguments.
package wire
