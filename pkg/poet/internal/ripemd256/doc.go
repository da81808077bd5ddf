// Package ripemd256 is RIPEMD-256, the hash of the registration proof of work
// (spec 03 §8.3): two RIPEMD-128 lines side by side that exchange one word after
// each of the four rounds. It is the 256-bit variant, not RIPEMD-160.
package ripemd256
