// Package vm is the account state machine: it parses transactions, judges
// their signatures, applies the transactions and rewards of a layer to accounts
// and computes the layer's state root (spec 07 §1–§8, §10).
//
// A Machine is immutable and holds a network's numbers. Parse and Verify look
// at one transaction; Apply takes a layer's input and an AccountReader and
// returns Effects, which the caller persists in one database transaction:
// account versions, results, rewards, state root, in any order.
//
// Invariants:
//   - Arithmetic on balances, gas, fees and nonces wraps at 2^64 unless a check
//     is written; this is consensus.
//   - Everything that Apply returns depends on nothing but its input and the
//     accounts it read. An error means that nothing may be persisted.
//   - A transaction parsed against an account whose template is known verifies
//     the same way ever after, because templates and their arguments never
//     change. So signatures may be checked ahead, in batches and in parallel,
//     and Apply told so with Tx.Verified.
//   - Bytes of a transaction are never re-encoded: id and signature are over
//     what arrived. Arguments are re-encoded to derive addresses.
//
// What peers do wrong is a RuleError; storage that fails or holds an account
// that cannot be read is ErrState, which aborts a layer.
package vm
