// Package split runs a network as many processes on one machine: a Postgres and a
// nats-server of the distribution's packages, and one process of this program for
// each service, two for those that have a standby.
//
// A process that ends is started again after a pause. Stop asks all of them to end
// and kills what does not; they also end when this process does, however it ends.
package split
