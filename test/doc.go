// Package test holds the tests of the whole system: each starts what users start
// and judges by what users see. A file holds one scenario and is named for the
// fault in it.
//
// It is a module of its own, so that what only such tests need does not become
// a dependency of the node.
package test
