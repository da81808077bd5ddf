// Package replay feeds what another node held through this node's services, by
// the same subjects that gossip and sync use, and compares everything that the
// other node stated with what the services made of it.
//
// Order. PoET proofs come first. Then for
// each layer from the first after genesis: ATXs whose target epoch has begun (in
// the order of their arrival), proofs of malfeasance that had arrived, active sets
// of the epoch, transactions that the layer applied, its ballots, its blocks, hare's
// output with certificate and weak coin; then the layer is processed. The clock
// stands in the middle of the layer. Transactions that were never applied come last.
//
// Objects are offered many at a time, so that services judge and store in batches.
// What a service misses is taken from the source and offered first.
//
// Comparison follows the layers that tortoise has verified, in the same order in
// which both sides are stored, so that memory does not grow with the source. It
// ends with the last layer for which the source has an aggregated hash.
//
// Failure handling: whatever a service acknowledged is in Postgres, so a replay
// that was killed skips it and goes on at the layer after the last processed one. A
// service or database that is away is waited for, and the user is told. Only a
// verdict counts as a difference; failures of ours end the replay with an error.
package replay
