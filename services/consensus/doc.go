// Package consensus is the service that agrees on layers: it judges ballots,
// keeps certificates and beacons, counts votes with the tortoise, and makes the
// state follow (spec 05, spec 06).
//
// It owns the Postgres schema "consensus" and serves the subjects of
// bus/consensus.go. Everything in memory is rebuilt from Postgres at start; a
// message that was acknowledged is in a row.
//
// A live service takes part in the network while it holds the lease, and stands by
// otherwise (leading.go, tenure.go); what it does in each layer stands in duties.go.
// Invariants:
//   - What is written while leading is written with the lease's term.
//   - Layers are done once, in the order of the clock; one that is over is not built
//     for.
//   - Every layer is processed: by hare's output, or else after it.
package consensus
