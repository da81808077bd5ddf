// Package atxtest has the shapes of the vectors about received ATXs (spec 04 §24),
// for those that run them: the rules in memory, and a service over its database.
//
// It knows nothing of pkg/atx, whose own tests use it.
package atxtest
