package intake

import (
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// prefetch reads what judging the messages will ask for, in one round trip, or in
// three if some of them are merged or marry identities.
func (v *View) prefetch(messages []*atx.Message, golden wire.ATXID) error {
	g := gatherer{rows: v.rows, golden: golden}
	for _, m := range messages {
		g.message(m)
	}
	if err := v.fetch(&g.wanted); err != nil {
		return err
	}
	for _, gather := range []func(*gatherer, *atx.Message){(*gatherer).spouses, (*gatherer).members} {
		next := gatherer{rows: v.rows, golden: golden}
		for _, m := range messages {
			if m.V2 != nil && (m.V2.MarriageATX != nil || len(m.V2.Marriages) > 0) {
				gather(&next, m)
			}
		}
		if next.idle() {
			continue
		}
		if err := v.fetch(&next.wanted); err != nil {
			return err
		}
	}
	return nil
}

// gatherer lists keys once; what it lists counts as read from then on, which it
// is as soon as the fetch succeeds.
type gatherer struct {
	wanted
	rows   *rows
	golden wire.ATXID
}

func once[K comparable, T any](in map[K]T, list *[]K, key K) {
	if _, ok := in[key]; !ok {
		var none T
		in[key] = none
		*list = append(*list, key)
	}
}

func (g *gatherer) atx(id wire.ATXID) {
	if !wire.IsZero(id) && id != g.golden {
		once(g.rows.atxs, &g.atxs, id)
	}
}

func (g *gatherer) message(m *atx.Message) {
	once(g.rows.atxs, &g.atxs, m.ID)
	for _, id := range m.Dependencies(g.golden).ATXs {
		g.atx(id)
	}
	node, publish := m.NodeID(), m.PublishEpoch()
	once(g.rows.last, &g.last, db.NodeEpoch{Node: node, Epoch: publish})
	if m.V1 != nil {
		g.v1(m.V1, node, publish)
	} else {
		g.v2(m.V2, node, publish)
	}
}

func (g *gatherer) v1(a *wire.ActivationTxV1, node wire.NodeID, publish wire.EpochID) {
	once(g.rows.malicious, &g.malicious, node)
	once(g.rows.signed, &g.signed, db.NodeEpoch{Node: node, Epoch: publish})
	if !wire.IsZero(a.PrevATXID) {
		once(g.rows.units, &g.units, a.PrevATXID)
		once(g.rows.commitments, &g.commitments, node)
	}
	if a.NIPost != nil && a.NIPost.PostMetadata != nil {
		once(g.rows.poets, &g.poets, a.NIPost.PostMetadata.PoetRef())
	}
}

func (g *gatherer) v2(a *wire.ActivationTxV2, node wire.NodeID, publish wire.EpochID) {
	once(g.rows.married, &g.married, node)
	once(g.rows.posted, &g.posted, db.NodeEpoch{Node: node, Epoch: publish})
	if a.Initial == nil {
		once(g.rows.commitments, &g.commitments, node)
	}
	for _, id := range a.PreviousATXs {
		once(g.rows.units, &g.units, id)
	}
	for i := range a.NiPosts {
		once(g.rows.poets, &g.poets, a.NiPosts[i].Challenge)
	}
	if a.MarriageATX != nil {
		once(g.rows.marriages, &g.marriages, node)
		once(g.rows.merged, &g.merged, db.ATXEpoch{ATX: *a.MarriageATX, Epoch: publish})
	}
	if len(a.Marriages) > 0 {
		g.lastSet = !g.rows.lastSet.found
	}
}

// spouses lists what is asked for about identities whose names were not in the
// message: those of a set, and those behind certificates.
func (g *gatherer) spouses(m *atx.Message) {
	a := m.V2
	for i := range a.Marriages {
		id := m.NodeID()
		if ref := a.Marriages[i].ReferenceAtx; !wire.IsZero(ref) {
			row := g.rows.atxs[ref]
			if row == nil {
				continue
			}
			id = row.NodeID
		}
		once(g.rows.marriages, &g.marriages, id)
		once(g.rows.married, &g.married, id)
	}
	if a.MarriageATX == nil {
		return
	}
	marriage := g.rows.marriages[m.NodeID()]
	if !marriage.found {
		return
	}
	once(g.rows.sets, &g.sets, marriage.value.ID)
}

// members lists what is asked for about the identities in a merged ATX.
func (g *gatherer) members(m *atx.Message) {
	a := m.V2
	marriage := g.rows.marriages[m.NodeID()]
	if a.MarriageATX == nil || !marriage.found {
		return
	}
	set := g.rows.sets[marriage.value.ID]
	for i := range a.NiPosts {
		for j := range a.NiPosts[i].Posts {
			index := uint64(a.NiPosts[i].Posts[j].MarriageIndex)
			if index >= uint64(len(set)) {
				continue
			}
			at := db.NodeEpoch{Node: set[index], Epoch: a.PublishEpoch}
			once(g.rows.commitments, &g.commitments, set[index])
			once(g.rows.posted, &g.posted, at)
			once(g.rows.last, &g.last, at)
		}
	}
}

// idle tells whether a later round of gathering found nothing to ask.
func (g *gatherer) idle() bool {
	return len(g.marriages)+len(g.married)+len(g.sets)+len(g.commitments)+len(g.posted)+len(g.last) == 0
}
