// Package rest holds the shapes and the rules of PoET's HTTP/JSON interface,
// without the HTTP: a Server turns a request into a status and a body, and
// SubmitBody and its siblings are what a node sends (spec 03 §8, §12.4, §14, §15.2).
//
// A server refuses challenges that are not 32 bytes long, where the reference
// server lets one of them spoil the round for everybody (spec 03 §21 item 1).
package rest
