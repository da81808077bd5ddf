package bus

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Names of the services: queue groups and owners of subjects.
const (
	GossipService     = "gossip"
	ConsensusService  = "consensus"
	ActivationService = "activation"
	StateService      = "state"
	PoetService       = "poet"
	PostWorkerService = "post-worker"
	APIService        = "api-gateway"
)

// GossipTopic is a kind of gossip message. The names of the network's topics
// differ between presets, so gossip translates them (spec 08 §4.2).
type GossipTopic string

// Every kind of gossip message.
const (
	TopicATX               GossipTopic = "atx"
	TopicMalfeasance       GossipTopic = "malfeasance"
	TopicProposal          GossipTopic = "proposal"
	TopicHare3             GossipTopic = "hare3"
	TopicHare4             GossipTopic = "hare4"
	TopicCertify           GossipTopic = "certify"
	TopicWeakCoin          GossipTopic = "weakcoin"
	TopicBeaconProposal    GossipTopic = "beacon_proposal"
	TopicBeaconFirstVotes  GossipTopic = "beacon_first"
	TopicBeaconFollowVotes GossipTopic = "beacon_follow"
	TopicTransaction       GossipTopic = "tx"
)

// GossipTopics lists them all.
func GossipTopics() []GossipTopic {
	return []GossipTopic{
		TopicATX, TopicMalfeasance, TopicProposal, TopicHare3, TopicHare4, TopicCertify, TopicWeakCoin,
		TopicBeaconProposal, TopicBeaconFirstVotes, TopicBeaconFollowVotes, TopicTransaction,
	}
}

// Owner is the service that judges messages of the topic.
func (t GossipTopic) Owner() string {
	switch t {
	case TopicATX, TopicMalfeasance:
		return ActivationService
	case TopicTransaction:
		return StateService
	}
	return ConsensusService
}

// Kind is the hint under which an object is fetched (spec 08 §6.3).
type Kind string

// Every kind of object that peers serve by hash.
const (
	KindATX         Kind = "ATXDB"
	KindPoet        Kind = "POETDB"
	KindMalfeasance Kind = "malfeasance"
	KindActiveSet   Kind = "activeset"
	KindBallot      Kind = "ballotDB"
	KindProposal    Kind = "proposalDB"
	KindBlock       Kind = "blocksDB"
	KindTransaction Kind = "TXDB"
)

// Kinds lists them all.
func Kinds() []Kind {
	return []Kind{
		KindATX, KindPoet, KindMalfeasance, KindActiveSet,
		KindBallot, KindProposal, KindBlock, KindTransaction,
	}
}

// Owner is the service that judges and stores objects of the kind.
func (k Kind) Owner() string {
	switch k {
	case KindATX, KindPoet, KindMalfeasance:
		return ActivationService
	case KindTransaction, KindBlock:
		return StateService
	}
	return ConsensusService
}

// SelfPeer stands for this node where a peer is named: gossip hands the node's own
// messages to their owners too, before anybody else gets them.
const SelfPeer = "self"

// PeerMessage is a gossip message as it arrived.
type PeerMessage struct {
	// Peer is the libp2p id of the sender; SelfPeer for what we publish.
	Peer string
	// Body is the message's bytes. The receiver may keep it, not change it.
	Body []byte
}

// GossipIn asks a topic's owner for its verdict on a message. A repeat is
// harmless: owners store by content and answer the same.
func GossipIn(t GossipTopic) Endpoint[PeerMessage, Judgement] {
	return Endpoint[PeerMessage, Judgement]{
		subject: "gossip.in." + string(t), owner: t.Owner(), gossip: true,
		req: peerMessage(), rep: judgement(),
	}
}

// GossipOut is what gossip publishes to the network, with the raw bytes as
// body. It goes through the outbox of the service that made the message.
func GossipOut(t GossipTopic) Topic[[]byte] {
	return Topic[[]byte]{subject: "gossip.out." + string(t), owner: t.Owner(), stream: GossipOutStream, form: raw[[]byte]()}
}

// FetchedObject is an object that a peer served under a hash.
type FetchedObject struct {
	Peer string
	Hash wire.Hash32
	Body []byte
}

// SyncIn asks the owner of a kind to judge and store a fetched object. The
// owner checks that the object belongs under its hash. Repeats are harmless.
func SyncIn(k Kind) Endpoint[FetchedObject, Judgement] {
	return Endpoint[FetchedObject, Judgement]{
		subject: "sync.in." + string(k), owner: k.Owner(), gossip: true,
		req: fetchedObject(), rep: judgement(),
	}
}

// FetchRequest names objects that are to be fetched, judged and stored.
type FetchRequest struct {
	Hashes []wire.Hash32
	// Peers that probably have them, to be asked first.
	Peers []string
}

// FetchOutcome is what became of one hash.
type FetchOutcome uint8

const (
	// FetchFailed: nobody gave it, or we failed. Try again later.
	FetchFailed FetchOutcome = iota
	// FetchStored: its owner holds it now.
	FetchStored
	// FetchRejected: what was served under the hash breaks a rule.
	FetchRejected
)

// FetchReply has an outcome for each hash of the request, in its order.
type FetchReply struct {
	Outcomes []FetchOutcome
}

// Fetch makes gossip get objects from peers and hand them to their owners. It
// answers when all of them have an outcome. Repeats share the work.
func Fetch(k Kind) Endpoint[FetchRequest, FetchReply] {
	return Endpoint[FetchRequest, FetchReply]{
		subject: "fetch." + string(k), owner: GossipService,
		req: scale[FetchRequest](), rep: scale[FetchReply](),
	}
}

// Code describes the request on the wire.
func (r *FetchRequest) Code(c *codec.Coder) {
	codec.FixedList(c, &r.Hashes, 1<<18)
	peers := make([][]byte, len(r.Peers))
	for i := range peers {
		peers[i] = []byte(r.Peers[i])
	}
	codec.BytesList(c, &peers, 1024, 256)
	if c.Reading() {
		r.Peers = nil
		for _, p := range peers {
			r.Peers = append(r.Peers, string(p))
		}
	}
}

// Code describes the reply on the wire.
func (r *FetchReply) Code(c *codec.Coder) {
	b := make([]byte, len(r.Outcomes))
	for i, o := range r.Outcomes {
		b[i] = byte(o)
	}
	c.Bytes(&b, 1<<18)
	if c.Reading() {
		r.Outcomes = make([]FetchOutcome, len(b))
		for i := range b {
			r.Outcomes[i] = FetchOutcome(b[i])
		}
	}
}

func peerMessage() form[PeerMessage] {
	return form[PeerMessage]{
		put: func(m *nats.Msg, v *PeerMessage) error {
			m.Data = v.Body
			m.Header[peerHeader] = []string{v.Peer}
			return nil
		},
		get: func(m *nats.Msg, v *PeerMessage) error {
			v.Body, v.Peer = m.Data, first(m.Header, peerHeader)
			return nil
		},
	}
}

func fetchedObject() form[FetchedObject] {
	return form[FetchedObject]{
		put: func(m *nats.Msg, v *FetchedObject) error {
			m.Data = v.Body
			m.Header[peerHeader] = []string{v.Peer}
			m.Header[hashHeader] = []string{hex.EncodeToString(v.Hash[:])}
			return nil
		},
		get: func(m *nats.Msg, v *FetchedObject) error {
			v.Body, v.Peer = m.Data, first(m.Header, peerHeader)
			h := first(m.Header, hashHeader)
			if len(h) != hex.EncodedLen(len(v.Hash)) {
				return errors.New("object without its hash")
			}
			if _, err := hex.Decode(v.Hash[:], []byte(h)); err != nil {
				return fmt.Errorf("object's hash: %w", err)
			}
			return nil
		},
	}
}
