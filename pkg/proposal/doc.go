// Package proposal holds the rules of voting: how many slots an ATX gives, in
// which layers they fall, which active set a smesher names, how a proposal is put
// together, and how one that arrives is judged (spec 06 §4–§7).
//
// It is pure. What a judge must know of the rest of the node it asks a World;
// the shell implements that over its database, the tortoise and the network.
//
// Invariants:
//   - Checks run in the order of spec 06 §7; the first that fails decides.
//   - Failures are of three families: a rule that the peer broke (RuleError),
//     something that is missing, or a failure of ours. Only the first can reject.
//   - A ballot that declares no slots is refused before anything divides by them.
package proposal
