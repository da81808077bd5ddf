// Package nodeconfig reads the settings of a node: those of go-spacemesh, from its
// files and flags as they are, and our own beside them under "smeshery" (spec 09
// §11).
//
//	cfg, err := nodeconfig.Resolve(nodeconfig.Input{File: raw, Args: args})
//	cfg, err = cfg.Expand(nodeconfig.Machine())
//	params, err := cfg.Params()
//
// settings.tsv lists every setting with its kind, its flag and its value in each
// network. A configuration starts from a network's column, takes what the file
// says, then what the flags say.
//
// Invariants:
//   - What go-spacemesh makes of a file and flags is what Resolve makes of them,
//     down to the texts of its errors, and down to list flags, which add to a list
//     that was there. Where that is a trap (negative numbers that wrap, lists
//     that double), Resolve notes it and Check refuses it.
//   - A configuration is never changed once it was resolved.
package nodeconfig
