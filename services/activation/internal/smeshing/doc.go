// Package smeshing lives the life of the identities that this process holds:
// from the first proof of space over the registration at PoETs to an ATX in each
// epoch (spec 04 §4–5, §12, §20).
package smeshing
