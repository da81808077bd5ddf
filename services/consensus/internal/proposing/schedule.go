package proposing

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// proveBatch is how many proofs are asked for at a time: a few seconds of work of
// one core at most.
const proveBatch = 8192

// enlist gives identities their schedules: slots by the reference ballot where
// there is one, else by the shared active set, and a proof for each (spec 06 §6.3).
func (b *Builder) enlist(ctx context.Context, e *epoch, fresh []*member) error {
	references, err := b.references(ctx, e.id, fresh)
	if err != nil {
		return err
	}
	owners := make([]db.Owner, len(fresh))
	for i, m := range fresh {
		owners[i] = db.Owner{Node: m.node, Atx: m.atx}
	}
	from, to := b.layers(e.id)
	last, err := db.LastBallots(ctx, b.deps.DB, owners, from, to)
	if err != nil {
		return err
	}
	for _, m := range fresh {
		m.last = last[m.node]
		if err := b.entitle(e, m, references[m.atx]); err != nil {
			b.deps.Log.Error("an identity cannot propose in this epoch", "identity", m.node, "epoch", e.id, "err", err)
		}
	}
	return b.schedule(ctx, e, fresh)
}

// entitle sets beacon and slots of a member.
func (b *Builder) entitle(e *epoch, m *member, reference *wire.Ballot) error {
	if reference == nil {
		slots, err := proposal.Slots(m.weight, b.params.MinimalActiveSetWeight(e.id), e.set.Weight, b.params.LayerAverageSize, b.params.LayersPerEpoch)
		m.beacon, m.slots = e.beacon, slots
		return err
	}
	id := reference.ID()
	if reference.EpochData == nil {
		return fmt.Errorf("its first ballot %s declares no slots", id)
	}
	m.reference, m.beacon, m.slots = id, reference.EpochData.Beacon, reference.EpochData.EligibilityCount
	return nil
}

func (b *Builder) layers(id wire.EpochID) (from, to wire.LayerID) {
	return b.params.FirstLayer(id), b.params.FirstLayer(id+1) - 1
}

// references reads the first ballots of members by ATX.
func (b *Builder) references(ctx context.Context, id wire.EpochID, members []*member) (map[wire.ATXID]*wire.Ballot, error) {
	from, to := b.layers(id)
	found, err := db.References(ctx, b.deps.DB, store.Column(members, func(m **member) wire.ATXID { return (*m).atx }), from, to)
	if err != nil {
		return nil, err
	}
	out := make(map[wire.ATXID]*wire.Ballot, len(found))
	for _, ballot := range found {
		out[ballot.AtxID] = ballot
	}
	return out, nil
}

// refer looks for the first ballots of those members that had none. One that was
// made with another beacon or other slots holds, and needs other proofs.
func (b *Builder) refer(ctx context.Context, e *epoch) error {
	var without []*member
	for _, m := range e.members {
		if wire.IsZero(m.reference) {
			without = append(without, m)
		}
	}
	if len(without) == 0 {
		return nil
	}
	found, err := b.references(ctx, e.id, without)
	if err != nil {
		return err
	}
	var other []*member
	for _, m := range without {
		ballot := found[m.atx]
		if ballot == nil {
			continue
		}
		beacon, slots := m.beacon, m.slots
		if err := b.entitle(e, m, ballot); err != nil {
			b.deps.Log.Error("an identity cannot propose in this epoch", "identity", m.node, "epoch", e.id, "err", err)
			m.schedule = nil
			continue
		}
		if beacon != m.beacon || slots != m.slots {
			delete(e.members, m.node)
			other = append(other, m)
		}
	}
	if len(other) == 0 {
		return nil
	}
	return b.schedule(ctx, e, other)
}

// schedule finds proofs for members in the database, has others made, and lets the
// members take part. Whoever lacks a proof is tried again in the next layer.
func (b *Builder) schedule(ctx context.Context, e *epoch, members []*member) error {
	stored, err := db.Schedules(ctx, b.deps.DB, e.id, store.Column(members, func(m **member) wire.NodeID { return (*m).node }))
	if err != nil {
		return err
	}
	known := make(map[wire.NodeID]*db.Schedule, len(stored))
	for i := range stored {
		known[stored[i].Node] = &stored[i]
	}
	var missing []*member
	for _, m := range members {
		if s := known[m.node]; s != nil && s.Atx == m.atx && s.Beacon == m.beacon && uint32(len(s.Proofs)) == m.slots {
			b.admit(e, m, s.Proofs)
		} else if m.slots > 0 {
			missing = append(missing, m)
		}
	}
	for len(missing) > 0 {
		n, count := 0, 0
		for n < len(missing) && (n == 0 || count+int(missing[n].slots) <= proveBatch) {
			count += int(missing[n].slots)
			n++
		}
		if err := b.prove(ctx, e, missing[:n]); err != nil {
			return err
		}
		missing = missing[n:]
	}
	return nil
}

func (b *Builder) admit(e *epoch, m *member, proofs []wire.VrfSignature) {
	m.schedule = proposal.Schedule(proofs, e.id, b.params.LayersPerEpoch)
	e.members[m.node] = m
}

// prove has the slots of members proved, stores that, and tells users.
func (b *Builder) prove(ctx context.Context, e *epoch, members []*member) error {
	var items []bus.VRFItem
	for _, m := range members {
		for j := range m.slots {
			items = append(items, bus.VRFItem{NodeID: m.node, Message: proposal.SlotMessage(m.beacon, e.id, m.nonce, j)})
		}
	}
	results := b.deps.Signer.Prove(ctx, items)
	var rows []db.Schedule
	var proved []*member
	for _, m := range members {
		own := results[:m.slots]
		results = results[m.slots:]
		if slices.ContainsFunc(own, func(r bus.VRFResult) bool { return r.Outcome != bus.Signed }) {
			b.deps.Log.Warn("no proofs of eligibility", "identity", m.node, "epoch", e.id)
			b.deps.Metrics.unsigned.WithLabelValues("eligibility").Inc()
			continue
		}
		rows = append(rows, db.Schedule{
			Node: m.node, Atx: m.atx, Beacon: m.beacon,
			Proofs: store.Column(own, func(r *bus.VRFResult) wire.VrfSignature { return r.Proof }),
		})
		proved = append(proved, m)
	}
	if len(rows) == 0 {
		return nil
	}
	schedules := make([]map[wire.LayerID][]wire.VotingEligibility, len(rows))
	told := make([]bus.Outgoing, len(rows))
	for i := range rows {
		schedules[i] = proposal.Schedule(rows[i].Proofs, e.id, b.params.LayersPerEpoch)
		var err error
		if told[i], err = b.eligibilities(e, &rows[i], schedules[i]); err != nil {
			return err
		}
	}
	err := b.deps.Node.Write(ctx, func(tx pgx.Tx) error {
		if err := db.InsertSchedules(ctx, tx, e.id, rows); err != nil {
			return err
		}
		return outbox.AddTx(ctx, tx, told...)
	})
	if err != nil {
		return err
	}
	b.deps.Wake()
	for i, m := range proved {
		m.schedule = schedules[i]
		e.members[m.node] = m
	}
	return nil
}

// eligibilities is the event for an identity's schedule.
func (b *Builder) eligibilities(e *epoch, row *db.Schedule, schedule map[wire.LayerID][]wire.VotingEligibility) (bus.Outgoing, error) {
	body := &events.Eligibilities{
		Node: row.Node, Epoch: e.id, Beacon: row.Beacon, ATX: row.Atx, ActiveSetSize: uint32(len(e.set.Set)),
	}
	for _, layer := range slices.Sorted(maps.Keys(schedule)) {
		body.Slots = append(body.Slots, events.SlotCount{Layer: layer, Count: uint32(len(schedule[layer]))})
	}
	return events.New(bus.ConsensusService, b.deps.Now(), fmt.Sprintf("%s-%d-%s", row.Node, e.id, row.Beacon), body)
}
