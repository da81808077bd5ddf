package v1

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store/read/consensus"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// layers reads layers from from to to, both included: as many messages as that is,
// without a status (spec 09 §5.2).
func (a *api) layers(ctx context.Context, from, to wire.LayerID) ([]*pb.Layer, error) {
	out := make([]*pb.Layer, 0, to-from+1)
	for l := uint64(from); l <= uint64(to); l++ {
		out = append(out, &pb.Layer{Number: number(wire.LayerID(l))})
	}
	applied, err := state.AppliedBetween(ctx, a.Node.DB, from, to)
	if err != nil {
		return nil, node.Failed(err)
	}
	full := applied[:0]
	blocks := make([]wire.BlockID, 0, len(applied))
	for _, l := range applied {
		if l.Block != (wire.BlockID{}) {
			full = append(full, l)
			blocks = append(blocks, l.Block)
		}
	}
	if len(full) == 0 {
		return out, nil
	}
	hashes, err := consensus.AggregatedHashes(ctx, a.Node.DB, from, to)
	if err != nil {
		return nil, node.Failed(err)
	}
	bodies, err := state.BlockBodies(ctx, a.Node.DB, blocks)
	if err != nil {
		return nil, node.Failed(err)
	}
	for _, l := range full {
		filled := out[l.Layer-from]
		hash := hashes[l.Layer]
		filled.Hash, filled.RootStateHash = hash[:], l.Root[:]
		block, err := a.block(ctx, l.Block, bodies[l.Block])
		if err != nil {
			return nil, err
		}
		filled.Blocks = []*pb.Block{block}
	}
	return out, nil
}

// block has those transactions of a block that were executed.
func (a *api) block(ctx context.Context, id wire.BlockID, body []byte) (*pb.Block, error) {
	var b wire.InnerBlock
	if err := codec.Decode(body, &b); err != nil {
		return nil, internal("error retrieving block data")
	}
	out := &pb.Block{Id: id[:]}
	if len(b.TxIDs) == 0 {
		return out, nil
	}
	txs, err := a.transactions(ctx, b.TxIDs)
	if err != nil {
		return nil, err
	}
	for _, id := range b.TxIDs {
		tx := txs[id]
		if tx == nil {
			return nil, internal("error retrieving tx data")
		}
		if tx.Result != nil {
			out.Transactions = append(out.Transactions, a.transaction(tx))
		}
	}
	return out, nil
}
