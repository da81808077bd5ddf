// Package consensus is the service that agrees on layers: it judges ballots,
// keeps certificates and beacons, counts votes with the tortoise, and makes the
// state follow (spec 05, spec 06).
//
// It owns the Postgres schema "consensus" and serves the subjects of
// bus/consensus.go. One process is active at a time. Everything in memory is
// rebuilt from Postgres at start; a message that was acknowledged is in a row.
package consensus
