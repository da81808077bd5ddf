// Package layerclock maps time to layers and back (spec 01 §23). It reads no
// clock: the caller brings the time.
package layerclock
