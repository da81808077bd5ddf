// Package cli is the command line of smeshery.
//
// Exit codes: 0 all is well, 1 a replay found differences, 2 the command could not
// be carried out (usage, input, environment), 130 it was interrupted.
package cli
