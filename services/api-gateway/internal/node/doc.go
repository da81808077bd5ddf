// Package node is what every API service asks: how far the node is, what accounts
// will hold once everything that waits is executed, what a transaction means, and
// how addresses are written.
//
// Rows are read from Postgres; what lives in another service's memory is asked for
// over the bus.
package node
