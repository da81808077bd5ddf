// Package storetest gives tests a real Postgres.
//
// One server is shared by all test binaries of a user: the first starts it, a
// lock that every binary holds keeps it up, and it ends by itself when the last
// binary has ended, however it ended. Its data lies in the temporary directory,
// without fsync, and is used again by the next run.
//
//	db := storetest.DB(t, activation.Schema)   // own database, migrated
//
// A database is a copy of a template that was migrated once for the exact files
// of the schemas, so that a test pays for a copy and not for migrations. It is
// dropped when the test ends.
//
// Tests that stop Postgres, or measure it with its durable settings, use Server,
// which is theirs alone. Without PostgreSQL's programs tests fail, and say what to
// install; nothing is skipped.
package storetest
