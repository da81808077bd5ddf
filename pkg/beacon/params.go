package beacon

import (
	"math/big"
	"time"

	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Topics of the beacon's gossip messages (spec 05 §1.2).
const (
	TopicProposal  = "bp1"
	TopicFirstVote = "bf1"
	TopicVote      = "bo1"
	TopicWeakCoin  = "bw1"
)

// Params are the network's numbers for the beacon (spec 05 §1.2).
type Params struct {
	Rounds uint32   // K; 0 switches the protocol off
	Kappa  uint64   // expected number of proposals, before adversaries
	Q      *big.Rat // greatest share of the adversary
	Theta  *big.Rat // share of the weight that decides a vote

	Grace            time.Duration
	ProposalDuration time.Duration
	FirstVotingRound time.Duration
	VotingRound      time.Duration
	WeakCoinRound    time.Duration

	VotesLimit  int // proposals in the basis of a vote bit vector
	WeightUnits int // eligibilities that ballots must show before they make a beacon

	Clock            layerclock.Clock
	LayersPerEpoch   uint32
	EffectiveGenesis wire.LayerID
}

// ParamsOf takes the beacon's numbers from a network's. effectiveGenesis differs
// from the network's own after a checkpoint recovery (spec 05 §0.1).
func ParamsOf(n *network.Params, effectiveGenesis wire.LayerID) Params {
	b := &n.Beacon
	return Params{
		Rounds: b.RoundsNumber, Kappa: b.Kappa, Q: ratio(b.Q), Theta: ratio(b.Theta),
		Grace: b.GracePeriod, ProposalDuration: b.ProposalDuration, FirstVotingRound: b.FirstVotingRoundDuration,
		VotingRound: b.VotingRoundDuration, WeakCoinRound: b.WeakCoinRoundDuration,
		VotesLimit: int(b.VotesLimit), WeightUnits: int(b.SyncWeightUnits),
		Clock:          layerclock.Clock{Genesis: n.Genesis.Time, LayerDuration: n.LayerDuration},
		LayersPerEpoch: n.LayersPerEpoch, EffectiveGenesis: effectiveGenesis,
	}
}

func ratio(f network.Fraction) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(f.Num), new(big.Int).SetUint64(f.Denom))
}

// epochStart is when the epoch's first layer begins.
func (p *Params) epochStart(e wire.EpochID) time.Time {
	return p.Clock.Start(e.FirstLayer(p.LayersPerEpoch))
}

func (p *Params) epochAt(now time.Time) wire.EpochID {
	return p.Clock.LayerAt(now).Epoch(p.LayersPerEpoch)
}
