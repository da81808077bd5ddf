package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// Input is one call that changes the state, so that calls can be written down and
// made again. The field that is set says which.
type Input struct {
	ATX         *ATXInput
	Malfeasance *wire.NodeID
	Beacon      *BeaconInput
	Coin        *CoinInput
	Block       *wire.Vote
	Hare        *HareInput
	Ballot      *Ballot
	Tally       *wire.LayerID
	Applied     *AppliedInput
}

// ATXInput is a call of OnATX.
type ATXInput struct {
	Target wire.EpochID
	ATX    ATX
}

// BeaconInput is a call of OnBeacon.
type BeaconInput struct {
	Epoch  wire.EpochID
	Beacon wire.Beacon
}

// CoinInput is a call of OnWeakCoin.
type CoinInput struct {
	Layer wire.LayerID
	Coin  bool
}

// HareInput is a call of OnHareOutput.
type HareInput struct {
	Layer wire.LayerID
	Block wire.BlockID
}

// AppliedInput is a call of OnApplied.
type AppliedInput struct {
	Layer   wire.LayerID
	Opinion wire.Hash32
}

// Apply makes the call. The error is that of OnATX or OnBallot, which a repeated
// call returns again and which then is of no interest.
func (t *Tortoise) Apply(in Input) (Effects, error) {
	switch {
	case in.ATX != nil:
		return Effects{}, t.OnATX(in.ATX.Target, in.ATX.ATX)
	case in.Malfeasance != nil:
		t.OnMalfeasance(*in.Malfeasance)
	case in.Beacon != nil:
		t.OnBeacon(in.Beacon.Epoch, in.Beacon.Beacon)
	case in.Coin != nil:
		t.OnWeakCoin(in.Coin.Layer, in.Coin.Coin)
	case in.Block != nil:
		t.OnBlock(*in.Block)
	case in.Hare != nil:
		t.OnHareOutput(in.Hare.Layer, in.Hare.Block)
	case in.Ballot != nil:
		return Effects{}, t.OnBallot(in.Ballot)
	case in.Tally != nil:
		return t.Tally(*in.Tally), nil
	case in.Applied != nil:
		_, effects := t.OnApplied(in.Applied.Layer, in.Applied.Opinion)
		return effects, nil
	}
	return Effects{}, nil
}
