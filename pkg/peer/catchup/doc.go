// Package catchup decides how far a node is behind the network and where it
// disagrees with a peer (spec 08 §8, §9).
//
// State has three states. NotSynced is where a node starts and where it falls back
// to when it is too many layers behind. GossipSync means that data and state are
// complete and gossip is open, but that what was missed on gossip may still matter;
// it lasts for a while without failures. Synced opens everything.
//
// ForkFinder bisects the aggregated hashes of a peer and of the node down to the
// last layer on which they agree. It remembers agreements, so that the next search
// starts there.
//
// Download gets all ATXs of an epoch by lists and batches, over restarts (spec 08
// §8.4).
//
// Invariants:
//   - ATX-synced, once set, is never taken back.
//   - A search asks only for ranges whose ends the peer has vouched for, and ends: every
//     answer narrows the range.
//   - Only downloads are persisted; a restarted node starts with NotSynced and no agreements.
package catchup
