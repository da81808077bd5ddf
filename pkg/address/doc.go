// Package address is the text form of accounts: bech32 with the network's
// prefix (spec 01 §21).
//
// The prefix is an argument everywhere; nothing here knows which network the
// process runs on. Parsing accepts exactly what the network's software accepts,
// including a fortieth data symbol and padding bits that are not zero; printing
// gives the one canonical form.
package address
