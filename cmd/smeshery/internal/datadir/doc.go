// Package datadir prepares the directory of a standalone network: on the first
// start it makes the identities' keys and a wallet for the coinbase, and writes down
// which network this is; on every other start it finds them again.
//
//	network.json   the network's settings, as a configuration file
//	identities/    a key file for each identity
//	wallet.json    the coinbase's wallet, without a password, as smcli writes it
//	seed           which labels of others' proofs are looked at
//	LOCK           held while a process uses the directory
//
// Invariants:
//   - Nothing is written before everything was checked.
//   - network.json comes last, and whole: a directory without it is begun anew,
//     with the keys and the wallet that it has.
//   - Key files and wallets are never overwritten or removed.
package datadir
