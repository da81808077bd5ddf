// Package nice lets threads that compute for hours yield to all others of the
// machine, also those of their own process.
package nice
