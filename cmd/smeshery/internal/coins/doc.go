// Package coins spends from accounts through a node's public API: it asks how an
// account is, sends transactions, and reads back what became of them.
package coins
