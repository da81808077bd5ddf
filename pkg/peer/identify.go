package peer

import "slices"

// What identify announces (spec 08 §2.4).
const (
	AgentVersion    = "go-spacemesh"
	ProtocolVersion = ""
	Security        = "/noise"
	Muxer           = "/yamux/1.0.0"
	DHTProtocol     = "/spacekad/kad/1.0.0"
	TimeProtocol    = "/peersync/1.0/"
	Hare4Protocol   = "hare4/full_exchange"
)

// Reachability is what a host knows of itself, or is told.
type Reachability uint8

// Reachabilities.
const (
	ReachabilityUnknown Reachability = iota
	ReachabilityPublic
	ReachabilityPrivate
)

// HostOptions decide which protocols a host serves.
type HostOptions struct {
	Relay          bool // circuit client
	RelayServer    bool // circuit hop service; wants Relay
	RelayAddress   bool // the host is reachable through a relay
	HolePunching   bool
	Reachability   Reachability
	DisableDHT     bool
	ForceDHTServer bool
	Bootnode       bool
	DisablePubsub  bool
	TimeCheck      bool
	Fetch          bool
	Hare4          bool
}

// GossipProtocols are offered in this order (spec 08 §4.1).
func GossipProtocols() []string {
	return []string{"/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0"}
}

// FetchProtocols are the request protocols of a full node (spec 08 §6.1).
func FetchProtocols() []string {
	return []string{"ax/1", "ld/1", "hs/1", "as/1", "mh/1", "ml/1", "lp/2"}
}

// Protocols are the protocol ids that the host serves, in order of their names.
func (o HostOptions) Protocols() []string {
	ids := []string{"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0"}
	add := func(when bool, more ...string) {
		if when {
			ids = append(ids, more...)
		}
	}
	private := o.Reachability == ReachabilityPrivate
	add(!o.DisablePubsub, GossipProtocols()...)
	add(!private, "/libp2p/autonat/1.0.0")
	add(!o.DisableDHT && (!private || o.ForceDHTServer || o.Bootnode), DHTProtocol)
	add(o.Relay, "/libp2p/circuit/relay/0.2.0/stop")
	add(o.Relay && o.RelayServer, "/libp2p/circuit/relay/0.2.0/hop")
	add(o.Relay && o.HolePunching && o.RelayAddress, "/libp2p/dcutr")
	add(o.TimeCheck, TimeProtocol)
	add(o.Fetch, FetchProtocols()...)
	add(o.Hare4, Hare4Protocol)
	slices.Sort(ids)
	return ids
}

// HasPeerRecord tells whether identify carries a signed peer record: a host that
// is known to be private and has no relay advertises no address to sign.
func (o HostOptions) HasPeerRecord() bool {
	return o.Reachability != ReachabilityPrivate || o.RelayAddress
}
