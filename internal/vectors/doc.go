// Package vectors gives tests the protocol's vectors and recordings: files that
// were produced by running the real software.
//
// They lie gzipped in the repository's testdata. VECTORS_DIR and RECORDINGS_DIR
// name another directory, so that the same tests run over files they have not
// seen. A test written with Run appears as one line a file in `make vectors`.
package vectors
