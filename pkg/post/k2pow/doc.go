// Package k2pow holds the HTTP paths and answers of a k2pow service, which solves
// the RandomX proofs of work of nonce groups for provers (spec 02 §15). It is
// pure: requests are sent and served by the shell.
package k2pow
