package peer

import (
	"encoding/binary"

	"github.com/smeshery/smeshery/pkg/wire"
)

// MessageID is the raw id of a gossip message (spec 08 §4.1).
func MessageID(topic string, data []byte) wire.Hash32 { return wire.Sum([]byte(topic), data) }

// Protobuf tags of the gossip messages that travel: length-delimited fields.
const (
	tagMessageData  = 2<<3 | 2
	tagMessageTopic = 4<<3 | 2
	tagRPCPublish   = 2<<3 | 2
)

// AppendMessage appends the unsigned, anonymous pubsub message: data and topic
// and nothing else.
func AppendMessage(dst []byte, topic string, data []byte) []byte {
	dst = appendField(dst, tagMessageData, data)
	return appendField(dst, tagMessageTopic, topic)
}

// AppendRPC appends an RPC that carries just this message.
func AppendRPC(dst []byte, topic string, data []byte) []byte {
	return appendField(dst, tagRPCPublish, AppendMessage(nil, topic, data))
}

func appendField[T ~string | ~[]byte](dst []byte, tag byte, value T) []byte {
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// Topics of spec 08 §4.2. Hare's come from the network's parameters.
const (
	TopicATX             = "ax1"
	TopicProposal        = "pp1"
	TopicTransaction     = "tx1"
	TopicCertify         = "bc1"
	TopicMalfeasance     = "mp1"
	TopicWeakCoin        = "bw1"
	TopicBeaconProposal  = "bp1"
	TopicBeaconFirstVote = "bf1"
	TopicBeaconVote      = "bo1"
)

// Gate is the sync state that a topic's handlers wait for (spec 08 §8.1).
type Gate uint8

// Gates. Messages before a closed gate are ignored.
const (
	GateOpen Gate = iota
	GateGossip
	GateATX
)

// TopicGate is the gate of a topic; hare's topics have none.
func TopicGate(topic string) Gate {
	switch topic {
	case TopicATX, TopicMalfeasance:
		return GateATX
	case TopicProposal, TopicTransaction, TopicCertify,
		TopicWeakCoin, TopicBeaconProposal, TopicBeaconFirstVote, TopicBeaconVote:
		return GateGossip
	}
	return GateOpen
}
