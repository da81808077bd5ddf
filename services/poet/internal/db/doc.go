// Package db is what the poet service keeps in Postgres: who it is, rounds with
// their registrations, and finished proofs (spec 03 §9.1).
//
// A registration is taken in a transaction that locks its round for share, and a
// round is closed in one that locks it for update: what was acknowledged before
// the closing is in the statement, and nothing is acknowledged after it.
package db
