// Package state holds the queries that other services make on state's tables:
// the feed of blocks, and which layers are applied.
package state
