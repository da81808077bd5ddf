// Package activation holds the queries that other services make on activation's
// tables: the feeds of ATXs and of malicious identities, and ATXs by id.
//
// Feeds are in the order of commit (docs/data.md): a follower that read up to a
// sequence number misses nothing below it.
package activation
