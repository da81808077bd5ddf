// Package bootstrap reads the documents with which a network helps its nodes out:
// an epoch's beacon and active set, published over HTTP (spec 08 §12).
//
// The documents are not signed: whoever serves the URL is trusted. Checks run in
// upstream's order, so that the same documents are refused for the same reasons.
package bootstrap
