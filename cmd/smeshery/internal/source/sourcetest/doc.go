// Package sourcetest makes sources for tests: databases out of recordings, and
// recordings that were tampered with.
package sourcetest
