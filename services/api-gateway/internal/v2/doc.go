// Package v2 is spacemesh.v2alpha1, and spacemesh.v2beta1 by the same handlers
// (spec 09 §3, §4). Messages of the two packages have the same bytes, so v2beta1
// is the handlers of v2alpha1 between two conversions.
//
// Lists are one query each (pkg/store/read); streams read their history by key, a
// page at a time, and never hold a database connection while a client is slow.
package v2
