// Package randomx computes RandomX v1 hashes with Debian's librandomx (spec 02
// §12).
//
// The library is loaded when the first Hasher is opened, so that programs which
// never check a pow neither need nor load it. Where it is missing, New returns
// ErrUnavailable, which names the Debian package.
//
// A Hasher has one cache (light, 256 MiB) or one dataset (fast, 2080 MiB) and a
// fixed number of virtual machines of some 2 MiB. It is safe for concurrent use;
// callers beyond the number of machines wait.
package randomx
