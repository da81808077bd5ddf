package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// References reads the first ballot of each of the ATXs in a range of layers.
func References(ctx context.Context, q store.Querier, atxs []wire.ATXID, from, to wire.LayerID) ([]*wire.Ballot, error) {
	return ballots(ctx, q, referencesSQL, store.Column(atxs, func(id *wire.ATXID) []byte { return id[:] }), int64(from), int64(to))
}

// Owner is an identity with its ATX.
type Owner struct {
	Node wire.NodeID
	Atx  wire.ATXID
}

// LastBallots reads up to which layer identities have ballots: stored in a range
// of layers, or built at any time.
func LastBallots(ctx context.Context, q store.Querier, owners []Owner, from, to wire.LayerID) (map[wire.NodeID]wire.LayerID, error) {
	rows, err := q.Query(ctx, lastBallotsSQL,
		store.Column(owners, func(o *Owner) []byte { return o.Atx[:] }),
		store.Column(owners, func(o *Owner) []byte { return o.Node[:] }), int64(from), int64(to))
	if err != nil {
		return nil, fmt.Errorf("read last ballots: %w", err)
	}
	out := make(map[wire.NodeID]wire.LayerID)
	var node []byte
	var layer int64
	_, err = pgx.ForEachRow(rows, []any{&node, &layer}, func() error {
		out[wire.NodeID(node)] = wire.LayerID(layer)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read last ballots: %w", err)
	}
	return out, nil
}

// PreparedSet is the active set that this node names in an epoch.
type PreparedSet struct {
	Epoch  wire.EpochID
	Hash   wire.Hash32
	Weight uint64
	Set    []wire.ATXID
}

// InsertPreparedSet stores the set under its hash and as the epoch's; the epoch's
// first one stays.
func InsertPreparedSet(ctx context.Context, tx pgx.Tx, p *PreparedSet) error {
	blob, err := codec.Encode(&wire.EpochActiveSet{Epoch: p.Epoch, Set: p.Set})
	if err != nil {
		return fmt.Errorf("encode active set: %w", err)
	}
	if err := InsertActiveSets(ctx, tx, []ActiveSet{{ID: p.Hash, Epoch: p.Epoch, Blob: blob}}); err != nil {
		return err
	}
	return exec(ctx, tx, "store prepared set", upsertPreparedSQL, int64(p.Epoch), p.Hash[:], int64(p.Weight))
}

// ReadPreparedSet reads the epoch's set; nil if none was prepared.
func ReadPreparedSet(ctx context.Context, q store.Querier, epoch wire.EpochID) (*PreparedSet, error) {
	rows, err := q.Query(ctx, preparedSetSQL, int64(epoch))
	if err != nil {
		return nil, fmt.Errorf("read prepared set: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (*PreparedSet, error) {
		var hash, blob []byte
		var weight int64
		if err := row.Scan(&hash, &weight, &blob); err != nil {
			return nil, err
		}
		set := new(wire.EpochActiveSet)
		if err := codec.Decode(blob, set); err != nil {
			return nil, err
		}
		return &PreparedSet{Epoch: epoch, Hash: wire.Hash32(hash), Weight: uint64(weight), Set: set.Set}, nil
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read prepared set: %w", err)
	}
	return p, nil
}

// Schedule holds an identity's proofs of eligibility in an epoch, by slot.
type Schedule struct {
	Node   wire.NodeID
	Atx    wire.ATXID
	Beacon wire.Beacon
	Proofs []wire.VrfSignature
}

func (s *Schedule) bytes() []byte {
	out := make([]byte, 0, len(s.Proofs)*len(wire.VrfSignature{}))
	for i := range s.Proofs {
		out = append(out, s.Proofs[i][:]...)
	}
	return out
}

// InsertSchedules stores schedules in place of earlier ones.
func InsertSchedules(ctx context.Context, q store.Execer, epoch wire.EpochID, rows []Schedule) error {
	return exec(ctx, q, "store schedules", insertSchedulesSQL, int64(epoch),
		store.Column(rows, func(r *Schedule) []byte { return r.Node[:] }),
		store.Column(rows, func(r *Schedule) []byte { return r.Atx[:] }),
		store.Column(rows, func(r *Schedule) []byte { return r.Beacon[:] }),
		store.Column(rows, (*Schedule).bytes))
}

// Schedules reads what is stored for identities in an epoch.
func Schedules(ctx context.Context, q store.Querier, epoch wire.EpochID, nodes []wire.NodeID) ([]Schedule, error) {
	rows, err := q.Query(ctx, schedulesSQL, int64(epoch), store.Column(nodes, func(n *wire.NodeID) []byte { return n[:] }))
	if err != nil {
		return nil, fmt.Errorf("read schedules: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Schedule, err error) {
		var node, atx, beacon, proofs []byte
		if err = row.Scan(&node, &atx, &beacon, &proofs); err != nil {
			return s, err
		}
		s = Schedule{Node: wire.NodeID(node), Atx: wire.ATXID(atx), Beacon: wire.Beacon(beacon)}
		const size = len(wire.VrfSignature{})
		for ; len(proofs) >= size; proofs = proofs[size:] {
			s.Proofs = append(s.Proofs, wire.VrfSignature(proofs[:size]))
		}
		return s, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read schedules: %w", err)
	}
	return out, nil
}

// MarkBuilt notes that ballots for the layer are going to be published, and
// answers for which identities that is new: the others have one in the layer or
// above, and may not have another.
func MarkBuilt(ctx context.Context, tx pgx.Tx, layer wire.LayerID, nodes []wire.NodeID) (map[wire.NodeID]bool, error) {
	rows, err := tx.Query(ctx, markBuiltSQL, store.Column(nodes, func(n *wire.NodeID) []byte { return n[:] }), int64(layer))
	if err != nil {
		return nil, fmt.Errorf("mark built: %w", err)
	}
	fresh := make(map[wire.NodeID]bool, len(nodes))
	var node []byte
	_, err = pgx.ForEachRow(rows, []any{&node}, func() error {
		fresh[wire.NodeID(node)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("mark built: %w", err)
	}
	return fresh, nil
}

// AggregatedHash reads the hash with which the state followed a layer; zero if it
// has not.
func AggregatedHash(ctx context.Context, q store.Querier, layer wire.LayerID) (h wire.Hash32, err error) {
	raw, err := one[[]byte](ctx, q, aggregatedHashSQL, int64(layer))
	if errors.Is(err, pgx.ErrNoRows) {
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("read aggregated hash: %w", err)
	}
	return wire.Hash32(raw), nil
}

// ValidOutputs counts the layers of a range that have a valid output of hare.
func ValidOutputs(ctx context.Context, q store.Querier, from, to wire.LayerID) (int, error) {
	n, err := one[int64](ctx, q, validOutputsSQL, int64(from), int64(to))
	if err != nil {
		return 0, fmt.Errorf("count hare outputs: %w", err)
	}
	return int(n), nil
}
