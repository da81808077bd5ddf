package db

import (
	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
)

// On finds the first ATX with a post of an identity on a previous ATX; zero asks
// for one without.
func (l *Loader) On(q []NodeATX, each func(NodeATX, wire.ATXID)) {
	if len(q) == 0 {
		return
	}
	nodes, previous := make([][]byte, len(q)), make([][]byte, len(q))
	for i := range q {
		nodes[i], previous[i] = q[i].Node[:], orNull(&q[i].ATX)
	}
	var node, prev, id raw
	l.ask("load_on", []any{&node, &prev, &id}, func() {
		key := NodeATX{Node: wire.NodeID(node)}
		if prev != nil {
			key.ATX = wire.ATXID(prev)
		}
		each(key, wire.ATXID(id))
	}, nodes, previous)
}

// Merged finds the first ATX with a marriage ATX in an epoch.
func (l *Loader) Merged(q []ATXEpoch, each func(ATXEpoch, wire.ATXID)) {
	if len(q) == 0 {
		return
	}
	marriages, epochs := make([][]byte, len(q)), make([]int64, len(q))
	for i := range q {
		marriages[i], epochs[i] = q[i].ATX[:], int64(q[i].Epoch)
	}
	var marriage, id raw
	var epoch int64
	l.ask("load_merged", []any{&marriage, &epoch, &id}, func() {
		each(ATXEpoch{wire.ATXID(marriage), wire.EpochID(epoch)}, wire.ATXID(id))
	}, marriages, epochs)
}

// Poets reads what ATXs need of PoET proofs.
func (l *Loader) Poets(refs []wire.PoetProofRef, each func(wire.PoetProofRef, atx.PoetProof)) {
	if len(refs) == 0 {
		return
	}
	var ref, statement raw
	var leaves int64
	l.ask("load_poets", []any{&ref, &leaves, &statement}, func() {
		each(wire.PoetProofRef(ref), atx.PoetProof{Leaves: uint64(leaves), Statement: wire.Hash32(statement)})
	}, keys(refs))
}

// PoetRefs tells which PoET proofs are stored.
func (l *Loader) PoetRefs(refs []wire.PoetProofRef, each func(wire.PoetProofRef)) {
	l.Poets(refs, func(ref wire.PoetProofRef, _ atx.PoetProof) { each(ref) })
}

// Malicious tells which identities have a proof of the first generation.
func (l *Loader) Malicious(nodes []wire.NodeID, each func(wire.NodeID)) {
	l.nodes("load_malicious", nodes, each)
}

// MaliciousMarried tells which identities the second generation found.
func (l *Loader) MaliciousMarried(nodes []wire.NodeID, each func(wire.NodeID)) {
	l.nodes("load_malicious_married", nodes, each)
}

// Known tells which identities signed an ATX that is stored.
func (l *Loader) Known(nodes []wire.NodeID, each func(wire.NodeID)) {
	l.nodes("load_known", nodes, each)
}

func (l *Loader) nodes(name string, nodes []wire.NodeID, each func(wire.NodeID)) {
	if len(nodes) == 0 {
		return
	}
	var node raw
	l.ask(name, []any{&node}, func() { each(wire.NodeID(node)) }, keys(nodes))
}

// Marriages reads the rows of married identities.
func (l *Loader) Marriages(nodes []wire.NodeID, each func(atx.Marriage)) {
	if len(nodes) == 0 {
		return
	}
	var node, id, target, signature raw
	var set int64
	var place int16
	l.ask("load_marriages", []any{&node, &set, &id, &place, &target, &signature}, func() {
		each(atx.Marriage{
			ID: atx.MarriageID(set), ATX: wire.ATXID(id), NodeID: wire.NodeID(node), Index: int(place),
			Target: wire.NodeID(target), Signature: wire.EdSignature(signature),
		})
	}, keys(nodes))
}

// MarriageSets reads the members of sets, each set's in the order of insertion.
func (l *Loader) MarriageSets(sets []atx.MarriageID, each func(atx.MarriageID, wire.NodeID)) {
	if len(sets) == 0 {
		return
	}
	ids := make([]int64, len(sets))
	for i := range sets {
		ids[i] = int64(sets[i])
	}
	var set int64
	var node raw
	l.ask("load_marriage_sets", []any{&set, &node}, func() {
		each(atx.MarriageID(set), wire.NodeID(node))
	}, ids)
}

// LastMarriage reads the greatest id of a set, 0 if there is none.
func (l *Loader) LastMarriage(each func(atx.MarriageID)) {
	l.batch.Queue(text("last_marriage")).QueryRow(func(row pgx.Row) error {
		var last int64
		err := row.Scan(&last)
		each(atx.MarriageID(last))
		return err
	})
}
