package proposing

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// selectors is how many choices of transactions are asked for at a time.
const selectors = 8

// work is a proposal on its way.
type work struct {
	member   *member
	build    *proposal.Build
	body     []byte // what is to be signed next
	proposal *wire.Proposal
}

// propose makes the proposals of members with slots in the layer.
func (b *Builder) propose(ctx context.Context, e *epoch, layer wire.LayerID, due []*member) (int, error) {
	opinion, meshHash, err := b.deps.Node.Opinion(ctx, layer)
	if err != nil {
		return 0, err
	}
	txs := b.transactions(ctx, layer, due)
	works := make([]*work, len(due))
	for i, m := range due {
		d := proposal.Draft{
			Layer: layer, Atx: m.atx, Smesher: m.node, Opinion: *opinion,
			Slots: m.schedule[layer], Txs: txs[i], MeshHash: meshHash,
		}
		if wire.IsZero(m.reference) {
			d.Epoch = &wire.EpochData{ActiveSetHash: e.set.Hash, Beacon: m.beacon, EligibilityCount: m.slots}
		} else {
			d.Reference = m.reference
		}
		w := &work{member: m, build: proposal.NewBuild(d)}
		w.body = w.build.BallotBytes()
		works[i] = w
	}
	works = b.sign(ctx, signing.Ballot, works, func(w *work, sig wire.EdSignature) { w.body = w.build.SignBallot(sig) })
	works = b.sign(ctx, signing.Proposal, works, func(w *work, sig wire.EdSignature) { w.proposal = w.build.Sign(sig) })
	if len(works) == 0 {
		return 0, fmt.Errorf("no proposal of %d was signed", len(due))
	}
	n, err := b.hand(ctx, layer, works)
	if err != nil {
		return 0, err
	}
	b.measure(layer, n)
	return n, nil
}

// sign has all works signed in one batch, and answers those that were.
func (b *Builder) sign(ctx context.Context, domain signing.Domain, works []*work, take func(*work, wire.EdSignature)) []*work {
	if len(works) == 0 {
		return nil
	}
	items := make([]bus.SignItem, len(works))
	for i, w := range works {
		items[i] = bus.SignItem{NodeID: w.member.node, Domain: uint8(domain), Body: w.body}
	}
	var signed []*work
	for i, r := range b.deps.Signer.Sign(ctx, items) {
		if r.Outcome != bus.Signed {
			b.deps.Log.Warn("not signed", "domain", domain, "identity", works[i].member.node, "outcome", r.Outcome, "reason", r.Reason)
			b.deps.Metrics.unsigned.WithLabelValues(domain.String()).Inc()
			continue
		}
		take(works[i], r.Signature)
		signed = append(signed, works[i])
	}
	return signed
}

// hand puts proposals into the outbox, with the rows that keep their identities
// from building in the layer again. Those that did already are left out.
func (b *Builder) hand(ctx context.Context, layer wire.LayerID, works []*work) (n int, err error) {
	nodes := make([]wire.NodeID, len(works))
	out := make([][2]bus.Outgoing, len(works))
	for i, w := range works {
		nodes[i] = w.member.node
		raw, err := codec.Encode(w.proposal)
		if err != nil {
			return 0, fmt.Errorf("encode proposal of %s: %w", w.member.node, err)
		}
		var e1, e2 error
		out[i][0], e1 = bus.GossipOut(bus.TopicProposal).Outgoing(raw)
		id := w.proposal.ID()
		out[i][1], e2 = events.New(bus.ConsensusService, b.deps.Now(), id.String()+"-created", &events.Proposal{
			Status: events.ProposalCreated, ID: id, Node: w.member.node, Layer: layer, Body: raw,
		})
		if err := errors.Join(e1, e2); err != nil {
			return 0, err
		}
	}
	err = b.deps.Node.Write(ctx, func(tx pgx.Tx) error {
		fresh, err := db.MarkBuilt(ctx, tx, layer, nodes)
		if err != nil {
			return err
		}
		n = 0
		messages := make([]bus.Outgoing, 0, 2*len(works))
		for i := range works {
			if fresh[nodes[i]] {
				messages = append(messages, out[i][0])
				n++
			}
		}
		for i := range works {
			if fresh[nodes[i]] {
				messages = append(messages, out[i][1])
			}
		}
		return outbox.AddTx(ctx, tx, messages...)
	})
	if err != nil {
		return 0, fmt.Errorf("hand over proposals of layer %d: %w", layer, err)
	}
	b.deps.Wake()
	return n, nil
}

// transactions chooses what each proposal lists. While everybody can list the whole
// mempool, it is asked once; a choice that fails leaves a proposal without any.
func (b *Builder) transactions(ctx context.Context, layer wire.LayerID, due []*member) [][]wire.TransactionID {
	out := make([][]wire.TransactionID, len(due))
	count := func(m *member) uint32 { return uint32(len(m.schedule[layer]) * b.params.TxsPerProposal) }
	least := count(due[0])
	for _, m := range due {
		least = min(least, count(m))
	}
	all, err := b.deps.Select(ctx, bus.SelectRequest{Layer: layer, Count: least + 1, Seed: b.seed(layer, due[0].node)})
	if err != nil {
		b.deps.Log.Warn("proposals are without transactions", "layer", layer, "err", err)
		return out
	}
	if uint32(len(all.Transactions)) <= least {
		for i := range out {
			out[i] = all.Transactions
		}
		return out
	}
	var group errgroup.Group
	group.SetLimit(selectors)
	for i, m := range due {
		group.Go(func() error {
			reply, err := b.deps.Select(ctx, bus.SelectRequest{Layer: layer, Count: count(m), Seed: b.seed(layer, m.node)})
			if err != nil {
				b.deps.Log.Warn("a proposal is without transactions", "identity", m.node, "err", err)
				return nil
			}
			out[i] = reply.Transactions
			return nil
		})
	}
	_ = group.Wait() // nobody fails
	return out
}

// seed makes identities choose differently, and one that is asked again alike.
func (b *Builder) seed(layer wire.LayerID, node wire.NodeID) [32]byte {
	var number [4]byte
	binary.LittleEndian.PutUint32(number[:], uint32(layer))
	return wire.Sum(node[:], number[:])
}

func (b *Builder) measure(layer wire.LayerID, n int) {
	after := b.deps.Now().Sub(b.clock.Start(layer))
	b.deps.Metrics.built.Add(float64(n))
	b.deps.Metrics.delay.Observe(after.Seconds())
	if after > b.preround(layer) {
		b.deps.Metrics.late.Add(float64(n))
	}
}

// preround is when hare stops listening for proposals, after the layer's start.
func (b *Builder) preround(layer wire.LayerID) time.Duration {
	if h := b.params.Hare4; h.Enable && layer >= h.EnableLayer && layer < h.DisableLayer {
		return h.PreroundDelay
	}
	return b.params.Hare3.PreroundDelay
}
