package replay

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// invalid is the validity of an ATX whose labels are wrong.
const invalid = 2

func (r *run) comparePoets(ctx context.Context, batch []source.PoetProof) error {
	type row struct{ service, round []byte }
	keys := store.Column(batch, func(p *source.PoetProof) []byte { return p.Ref[:] })
	here, err := byID[wire.PoetProofRef](ctx, r, "PoET proofs", comparePoetsSQL,
		func(v *row) []any { return []any{&v.service, &v.round} }, keys)
	if err != nil {
		return err
	}
	for i := range batch {
		p := &batch[i]
		c := r.compare(source.PoetProofs, "poet proof "+p.Ref.String(), p.Place)
		v, ok := here[p.Ref]
		if same(c, "stored", ok, true); ok {
			same(c, "service_id", hex.EncodeToString(v.service), hex.EncodeToString(p.ServiceID))
			same(c, "round_id", string(v.round), p.RoundID)
		}
		r.tally(source.PoetProofs).Compared++
	}
	return nil
}

// atxRow is what activation derived from an ATX.
type atxRow struct {
	epoch, units, weight, base, ticks, sequence, nonce, received int64
	node, coinbase, commitment, marriage                         []byte
	validity, version                                            int16
}

func (r *run) compareATXs(ctx context.Context, batch []source.ATX) error {
	keys := store.Column(batch, func(a *source.ATX) []byte { return a.ID[:] })
	here, err := byID[wire.ATXID](ctx, r, "ATXs", compareATXsSQL, (*atxRow).columns, keys)
	if err != nil {
		return err
	}
	for i := range batch {
		a := &batch[i]
		c := r.compare(source.ATXs, "atx "+a.ID.String(), a.Place)
		r.tally(source.ATXs).Compared++
		if v, ok := here[a.ID]; ok {
			v.compare(c, a)
		} else if a.Validity != invalid {
			c.differ("stored", false, true)
		}
	}
	return nil
}

func (v *atxRow) columns() []any {
	return []any{
		&v.epoch, &v.node, &v.units, &v.weight, &v.base, &v.ticks, &v.sequence,
		&v.nonce, &v.coinbase, &v.commitment, &v.marriage, &v.validity, &v.version, &v.received,
	}
}

func (v *atxRow) compare(c *comparison, a *source.ATX) {
	same(c, "publish_epoch", v.epoch, int64(a.PublishEpoch))
	same(c, "node_id", *optional[wire.NodeID](v.node), a.NodeID)
	same(c, "effective_num_units", v.units, int64(a.Units))
	same(c, "weight", uint64(v.weight), a.Weight)
	same(c, "base_tick_height", uint64(v.base), a.BaseHeight)
	same(c, "tick_count", uint64(v.ticks), a.Ticks)
	same(c, "sequence", uint64(v.sequence), a.Sequence)
	same(c, "vrf_nonce", uint64(v.nonce), a.VRFNonce)
	same(c, "coinbase", *optional[wire.Address](v.coinbase), a.Coinbase)
	sameOptional(c, "commitment_atx", optional[wire.ATXID](v.commitment), a.Commitment)
	sameOptional(c, "marriage_atx", optional[wire.ATXID](v.marriage), a.Marriage)
	same(c, "version", int(v.version), a.Version)
	// Which of its labels a node looked at is its own business; that they are
	// wrong is not.
	same(c, "invalid", v.validity == invalid, a.Validity == invalid)
	same(c, "received", time.Unix(0, v.received).UTC(), a.Received.UTC())
}

func (r *run) compareBallots(ctx context.Context, batch []source.Ballot) error {
	type row struct {
		layer     int64
		atx, node []byte
	}
	keys := store.Column(batch, func(b *source.Ballot) []byte { return b.ID[:] })
	here, err := byID[wire.BallotID](ctx, r, "ballots", compareBallotsSQL,
		func(v *row) []any { return []any{&v.layer, &v.atx, &v.node} }, keys)
	if err != nil {
		return err
	}
	for i := range batch {
		b := &batch[i]
		c := r.compare(source.Ballots, "ballot "+b.ID.String(), b.Place)
		v, ok := here[b.ID]
		if same(c, "stored", ok, true); ok {
			same(c, "layer", v.layer, int64(b.Layer))
			same(c, "atx", *optional[wire.ATXID](v.atx), b.ATX)
			same(c, "node_id", *optional[wire.NodeID](v.node), b.NodeID)
		}
		r.tally(source.Ballots).Compared++
	}
	return nil
}
