// Package gossip is the service between the network and the rest of the node.
//
//	outbox of a service ─► GOSSIP_OUT ─► gossip ─► its owner judges it ─► Network
//	                                                (as from SelfPeer)
//
// What the node itself says passes the same handlers as what it hears, before
// anybody else gets it (spec 08 §4.1), so that nothing is said that would be
// refused by others. With no Network the node is alone, and that is all.
//
// Invariants:
//   - Only what its owner accepted goes to the network.
//   - An error of ours is no verdict: the message comes back and is tried again, as
//     long as it can be of use. Votes of a round are of no use after some seconds.
//   - A message is published once: those that were accepted are remembered by their
//     gossip id for as long as the network remembers them (spec 08 §4.1).
//
// Failure: the stream keeps what was not settled; a crash between verdict and
// acknowledgement has the message judged again, which every owner allows.
package gossip
