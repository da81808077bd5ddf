// Package consensus holds the queries that other services make on consensus's
// tables: how far it is, and layers as users see them.
package consensus
