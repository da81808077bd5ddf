// Package node runs services in one process, over an embedded NATS server and a
// Postgres that it starts itself, in a data directory:
//
//	genesis.json   the network that the directory belongs to (spec 09 §12)
//	postgres/      the private server, see pkg/store/postgres
//	nats/          streams; made anew at every start, since rows are the truth
//
// With a database URL the directory is not needed and nothing is started but NATS.
//
// Start migrates, then starts the services in the order of modules.go and waits
// for each to be ready. Stop goes the other way around.
//
// Failure handling: a service whose Run ends while the node runs is started again
// with a new connection and a new registry; a private Postgres that ended is
// started again on the same socket. Errors that starting again cannot cure (another
// network's database, a schema of another release, a full disk) end the node:
// Failed is closed and Err tells why. One process owns a data directory.
package node
