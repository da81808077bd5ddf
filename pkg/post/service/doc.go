// Package service holds the messages that a node and a post-service exchange over
// PostService.Register, in protobuf (spec 02 §14.3). It is pure: streams belong to
// the shell.
package service
