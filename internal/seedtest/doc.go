// Package seedtest puts the state that the vectors of the API start from into a
// database: the rows that the services' own code would have written by the end of
// the described layers, through each schema's own writer.
//
// It stands outside of services/ because it knows the schemas of all of them.
package seedtest
