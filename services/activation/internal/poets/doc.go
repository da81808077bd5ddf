// Package poets is a node's side of PoET servers (spec 03 §14–15, spec 04 §5.4,
// §5.8–5.9): a Server for each, which all identities share.
//
// What one identity asked for serves the others: a server's description and
// parameters are kept for a while, and a round's proof is downloaded, verified and
// stored once, with one membership tree that proves every identity's challenge. No
// lock is held during a request; whoever comes meanwhile waits for its answer.
// Registrations run side by side, up to a bound, and proofs of work leave cores
// to others.
//
// Servers are not trusted. What they say is bounded and parsed by package rest,
// proofs are verified before anybody builds on them, and a server that lies fails
// alone.
package poets
