// Package certifier holds the messages and the certificate of the service that
// vouches for a PoST proof towards PoET servers (spec 02 §16). It is pure: no
// network, no clock.
package certifier
