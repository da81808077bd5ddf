// Package db is everything the state service does to its tables.
//
// Functions that end in Tx join the caller's transaction; the others read, on
// whatever they are given. The SQL of queries lies in sql/, the schema in
// migrations/; docs/data.md says what the tables hold and the README of the
// service what each is for.
//
// Unsigned 64-bit values are bigint columns of the same bits. Rows that come by
// the ten thousand (account versions, results, links of blocks) go in by binary
// COPY.
package db
