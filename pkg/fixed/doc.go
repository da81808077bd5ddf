// Package fixed is the arithmetic that decides how many committee seats an
// identity has: sign-and-magnitude numbers with 56 fraction bits, and the
// binomial distribution computed with them (spec 05 §2.6–§2.7).
//
// Invariants:
//   - Every result is exact to the bit, including the places where the rule
//     differs from mathematics: division that comes out one unit short,
//     negative numbers that compare as large, a continued fraction that stops
//     from above only.
//   - A result that leaves 127 bits of magnitude is an overflow. It sticks to
//     the Calc that met it, and never panics.
package fixed
