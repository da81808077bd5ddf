// Package poet is the proof of elapsed time: registering challenges for a round,
// the sequential work over them, proving it, and everything a node does with a
// proof (spec 03).
//
// A round closes over its registrations (CloseRound), whose membership root is
// the statement of the work. Work adds one leaf after another; each label is 400
// hashes deep and depends on the ones before it, which is what takes the time.
// Opening turns finished work into a proof, VerifyProof checks one, and
// VerifyMembership ties a challenge to the statement.
//
// Only the nodes of one layer of the tree are kept while working. What lies
// above is hashed again from them, what lies below an opened leaf is worked out
// again, so a mainnet round takes about a gigabyte instead of terabytes. The
// proof is the same either way.
//
// The package is pure: it reads no clock and no file. Sub-package roundstore
// keeps a round on disk and survives crashes; sub-package rest holds the shapes
// and the rules of the HTTP interface.
//
// It implements spec 03 §2–§8, §9.1, §10.3, §10.4, §17 and §20.
package poet
