// Package rewards says how many coins a layer creates and who gets them (spec
// 07 §7.2 and §7.4).
//
// Schedule is the issuance curve: it is computed exactly, with fixed-point
// arithmetic that is far wider than the result, because floating point doubles
// disagree with the network in the last digits. Distribute splits a layer's
// subsidy and fees over the identities of its block.
//
// Invariants:
//   - What is handed out never exceeds subsidy plus fees; rounding is burnt.
//   - Shares are judged by their exact rational weights, whatever their
//     denominators, and the order of shares does not change any amount.
//   - Nothing here depends on the network: layers are counted from the first
//     effective genesis, which the caller subtracts.
package rewards
