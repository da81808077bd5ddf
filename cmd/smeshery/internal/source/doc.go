// Package source reads what another node left behind: a recorded network (a
// directory of gzipped JSON lines beside a manifest.json) or a go-spacemesh
// database (state.sql). Both are a Source: objects as the bytes that travelled,
// beside what the other node made of them.
//
// Rows come in the order in which a replay needs them and are streamed: ATXs by
// publish epoch and time of arrival, everything else by layer or epoch. Memory
// does not grow with the source, except for a recorded file that is not in that
// order, which is sorted in memory.
//
// Invariants and failure handling:
//   - Open checks the whole source for form: every line of a recording is read
//     once and counted against the manifest, every column of a database is looked
//     up. A source that was cut short or altered is an *Error that names the file
//     and line, or the table and column, before anything is replayed.
//   - A row's Place says where it stands, for messages about it.
//   - A database is opened read-only and nothing is written beside it.
//   - The network's numbers come from a preset and the overrides that stand in the
//     source's manifest (spec 09 §11). A key that could matter to the protocol and
//     is not known is refused.
package source
