package block

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Read judges the bytes of a block that was asked for by its id (spec 06 §10.7).
// Rewards' activations and transactions are to be fetched after it. Only
// RuleDuplicateTx is no reason to reject the peer.
func Read(raw []byte, id wire.BlockID, genesis wire.LayerID) (*wire.Block, error) {
	var b wire.Block
	if err := codec.Decode(raw, &b); err != nil {
		return nil, refuse(RuleMalformed, "%v", err)
	}
	if got := b.ID(); got != id {
		return nil, refuse(RuleWrongID, "%s, asked for %s", got, id)
	}
	if b.LayerIndex <= genesis {
		return nil, refuse(RuleBeforeGenesis, "layer %d", b.LayerIndex)
	}
	if err := CheckRewards(b.Rewards); err != nil {
		return nil, err
	}
	seen := make(map[wire.TransactionID]struct{}, len(b.TxIDs))
	for _, tx := range b.TxIDs {
		if _, twice := seen[tx]; twice {
			return nil, refuse(RuleDuplicateTx, "%s", tx)
		}
		seen[tx] = struct{}{}
	}
	return &b, nil
}

// CheckRewards tells whether rewards can be paid (spec 06 §10.7).
func CheckRewards(rewards []wire.AnyReward) error {
	if len(rewards) == 0 {
		return refuse(RuleNoRewards, "")
	}
	seen := make(map[wire.ATXID]struct{}, len(rewards))
	for _, r := range rewards {
		if r.Weight.Num == 0 || r.Weight.Denom == 0 {
			return refuse(RuleZeroWeight, "atx %s: %d/%d", r.AtxID, r.Weight.Num, r.Weight.Denom)
		}
		if _, twice := seen[r.AtxID]; twice {
			return refuse(RuleDuplicateReward, "atx %s", r.AtxID)
		}
		seen[r.AtxID] = struct{}{}
	}
	return nil
}
