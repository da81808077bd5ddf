// Package db holds consensus's tables: migrations and the queries that write
// them.
package db
