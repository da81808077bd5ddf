// Package network holds the numbers in which Spacemesh networks differ, as one
// value that is passed to whoever needs it (spec 01 §20, §24; spec 09).
//
// Presets are the built-in networks; a deployed network overrides single values
// with the configuration keys that existing nodes use. Nothing in the project
// has a global epoch length, prefix or genesis.
package network
