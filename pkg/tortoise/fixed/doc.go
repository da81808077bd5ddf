// Package fixed is the number with which weights are compared: sign and
// magnitude in 128 bits, 56 of the 127 magnitude bits behind the point (spec 06
// §8).
//
// All nodes have to round alike, so division follows the reference bit by bit,
// where it is not the true quotient too.
//
// Invariants:
//   - A Number is a value; its zero value is +0.
//   - No operation panics. What terminates the reference (a magnitude beyond 127
//     bits, division by zero) saturates here and is reported by the Checked
//     forms, which is where a number made of a peer's input has to pass.
package fixed
