// Package checkpoint writes and reads snapshots of accounts, ATXs and marriages,
// from which nodes restart with a new history, and finds out which of its own
// ATXs a node has to carry over (spec 07 §11).
//
// Write takes rows as a database gives them and streams the file. Read takes a
// whole file, which may come from anywhere: it checks the schema before it looks
// at values, as the network's software does, so that both refuse the same files.
// Preserve walks the graph of a node's ATXs.
//
// Invariants:
//   - What Write produces, Read accepts; an ATX is never written twice.
//   - Read allocates in proportion to the file, and accepts no file in which an
//     account, an ATX or a married identity occurs twice.
package checkpoint
