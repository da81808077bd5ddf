// Package postgres runs a private PostgreSQL server from the system's packages,
// for a node that lives on one machine.
//
// Inside Config.Dir:
//
//	lock      held by the smeshery process that owns the directory (flock)
//	data/     the cluster, made by initdb on first use
//	run/      the Unix socket; no TCP port is ever opened
//	log       what the server and initdb say
//
// PostgreSQL refuses to run as root. As root we run it as another user: the owner
// of data/ if it exists, else Config.User, else "postgres", else "nobody". Where
// that user may not enter Dir by its path (a data directory under /root), it gets
// the directory as an open file instead. A socket path longer than the system
// allows moves to a private directory under /tmp.
//
// Access is guarded by the file system: run/ and the socket are for that user and
// root alone, so connections need no password.
//
// Invariants and failure handling:
//   - One owner: a second process on the same Dir gets ErrInUse.
//   - data/ appears complete or not at all: initdb works beside it and the
//     result is renamed, so that a crash leaves nothing half made.
//   - The server does not outlive us. It has its own process group, so that a
//     Ctrl-C reaches us first, and the kernel tells it to stop when we die.
//   - After our kill -9 the old server may still be stopping. Start waits for
//     every process that has data/ as its working directory, asking harder
//     with time, before it clears the stale postmaster.pid.
//   - synchronous_commit and fsync stay on, unless the caller's Settings differ.
package postgres
