package peer

import (
	"math"
	"time"
)

// GossipParams are the mesh's numbers (spec 08 §4.3). They differ from the
// library's defaults and have to be set one by one.
type GossipParams struct {
	D, DLow, DHigh, DScore, DOut, DLazy int
	GossipFactor                        float64
	HistoryLength, HistoryGossip        int
	HeartbeatInitialDelay               time.Duration
	HeartbeatInterval                   time.Duration
	FanoutTTL                           time.Duration
	PruneBackoff, UnsubscribeBackoff    time.Duration
	PrunePeers, Connectors              int
	MaxPendingConnections               int
	ConnectionTimeout                   time.Duration
	DirectConnectTicks                  int
	DirectConnectInitialDelay           time.Duration
	OpportunisticGraftTicks             int
	OpportunisticGraftPeers             int
	GraftFloodThreshold                 time.Duration
	Retransmission                      int
	MaxIHaveLength, MaxIHaveMessages    int
	IWantFollowupTime                   time.Duration
	IDontWantThreshold, IDontWantTTL    int
	MaxIDontWantMessages                int
	PeerExchange                        bool
	SeenTTL                             time.Duration
	OutboundQueue, ValidateQueue        int
	ValidateThrottle                    int
	MaxMessageSize                      int
}

// NewGossipParams are the numbers of an ordinary node, or of a bootnode, which
// keeps no mesh of its own and hands out peers instead.
func NewGossipParams(bootnode bool) GossipParams {
	p := GossipParams{
		D: 6, DLow: 4, DHigh: 8, DScore: 4, DOut: 3, DLazy: 8,
		GossipFactor: 0.1, HistoryLength: 10, HistoryGossip: 3,
		HeartbeatInitialDelay: 100 * time.Millisecond, HeartbeatInterval: time.Second,
		FanoutTTL: time.Minute, PruneBackoff: time.Minute, UnsubscribeBackoff: 10 * time.Second,
		PrunePeers: 16, Connectors: 8, MaxPendingConnections: 128, ConnectionTimeout: 30 * time.Second,
		DirectConnectTicks: 300, DirectConnectInitialDelay: 30 * time.Second,
		OpportunisticGraftTicks: 60, OpportunisticGraftPeers: 2, GraftFloodThreshold: 10 * time.Second,
		Retransmission: 3, MaxIHaveLength: 5000, MaxIHaveMessages: 10, IWantFollowupTime: 5 * time.Second,
		IDontWantThreshold: 1024, IDontWantTTL: 3, MaxIDontWantMessages: 1000,
		SeenTTL: 120 * time.Second, OutboundQueue: 8192, ValidateQueue: 50_000, ValidateThrottle: 50_000,
		MaxMessageSize: 2 << 20,
	}
	if bootnode {
		p.D, p.DLow, p.DHigh, p.DScore, p.DOut, p.DLazy = 0, 0, 0, 0, 0, 64
		p.GossipFactor, p.PruneBackoff, p.PeerExchange = 0.25, 5*time.Minute, true
	}
	return p
}

// ScoreParams are the numbers of gossip's peer score (spec 08 §4.4). What is not
// here has weight 0.
type ScoreParams struct {
	GossipThreshold, PublishThreshold, GraylistThreshold float64
	AcceptPXThreshold, OpportunisticGraftThreshold       float64
	DecayInterval, Retain                                time.Duration
	DecayToZero                                          float64
	BehaviourWeight, BehaviourThreshold, BehaviourDecay  float64
	Topic                                                TopicScore
}

// TopicScore is the score of the topics that have one.
type TopicScore struct {
	Topics                       []string
	Weight                       float64
	TimeInMeshWeight             float64
	TimeInMeshQuantum            time.Duration
	TimeInMeshCap                float64
	FirstWeight, FirstCap, Decay float64
	InvalidWeight, InvalidDecay  float64
}

// NewScoreParams are upstream's numbers.
func NewScoreParams() ScoreParams {
	hourly := hourlyDecay()
	return ScoreParams{
		GossipThreshold: -500, PublishThreshold: -1000, GraylistThreshold: -2500,
		AcceptPXThreshold: 1000, OpportunisticGraftThreshold: 3.5,
		DecayInterval: time.Second, DecayToZero: 0.01, Retain: 6 * time.Hour,
		BehaviourWeight: -10, BehaviourThreshold: 6, BehaviourDecay: hourly,
		Topic: TopicScore{
			Topics: []string{TopicATX, TopicProposal}, Weight: 0.1,
			TimeInMeshWeight: 0.00027, TimeInMeshQuantum: time.Second, TimeInMeshCap: 1,
			FirstWeight: 5, FirstCap: 100, Decay: hourly, InvalidWeight: -1000, InvalidDecay: hourly,
		},
	}
}

// hourlyDecay is the factor a second that leaves a hundredth after an hour.
func hourlyDecay() float64 { return math.Pow(0.01, 1.0/3600) }

// bootnodeScore makes gossip prefer bootnodes and take peers from them.
const bootnodeScore = 10_000

// AppScore is the application's part of a peer's score.
// A node that is a bootnode itself prefers nobody.
func AppScore(selfBootnode, peerBootnode bool) float64 {
	if peerBootnode && !selfBootnode {
		return bootnodeScore
	}
	return 0
}
