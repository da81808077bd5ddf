// Package store is what services share about Postgres: a pool, transactions,
// migrations with roles, and bulk writes.
//
// Sub-packages: postgres runs a private server, storetest gives tests a
// database, outbox relays what a transaction has to say to others, and
// read/<owner> holds the queries that other services may make.
//
// One writer. Every service has one schema, one role that writes it
// ("smeshery_<schema>"), and all services read everything through
// "smeshery_reader". Open makes a pool that acts as the service's role, with its
// schema first in search_path, so that a write to another service's table is
// refused by the database and not only by review.
//
// Migrations are numbered files, NNNN_name.up.sql, that only go forward and are
// never edited once released. `smeshery migrate` is the only thing that runs
// them; services call Check at start and refuse a schema that is older or newer
// than what they know. A schema is made of parts (the service's own files, the
// outbox, the leases), each with its own numbers.
//
// Transactions. InTx commits or rolls back; a commit whose answer was lost is
// ErrCommitUnknown, because the rows may be there. RetryTx repeats on
// serialization failures and deadlocks, so what it runs must be repeatable. No
// NATS call and no publish happens inside a transaction: it writes an outbox row.
package store
