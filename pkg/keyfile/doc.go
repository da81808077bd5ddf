// Package keyfile reads and writes identities as they lie on disk: files of 128
// hex digits in a directory (spec 01 §19). It is a shell: it touches the file
// system and nothing else.
//
// A directory with anything wrong in it is refused as a whole. A node that would
// start with some of its identities would sooner or later start them twice.
package keyfile
