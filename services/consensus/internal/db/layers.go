package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/mesh"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Layer is a row of layers.
type Layer struct {
	Layer     wire.LayerID
	Coin      *bool
	Processed bool
	// Hash is nil where the state has not followed the layer.
	Hash *wire.Hash32
}

// LayersFrom reads the rows of layers from one on, ascending.
func LayersFrom(ctx context.Context, q store.Querier, from wire.LayerID) ([]Layer, error) {
	rows, err := q.Query(ctx, layersFromSQL, int64(from))
	if err != nil {
		return nil, fmt.Errorf("read layers: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Layer, err error) {
		var layer int64
		var hash []byte
		if err = row.Scan(&layer, &l.Coin, &l.Processed, &hash); err != nil {
			return l, err
		}
		l.Layer = wire.LayerID(layer)
		if hash != nil {
			h := wire.Hash32(hash)
			l.Hash = &h
		}
		return l, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read layers: %w", err)
	}
	return out, nil
}

// SetCoin stores a layer's weak coin; the first one stays.
func SetCoin(ctx context.Context, q store.Execer, layer wire.LayerID, coin bool) error {
	return exec(ctx, q, "store weak coin", setCoinSQL, int64(layer), coin)
}

// SetProcessed marks a layer.
func SetProcessed(ctx context.Context, q store.Execer, layer wire.LayerID) error {
	return exec(ctx, q, "mark layer processed", setProcessedSQL, int64(layer))
}

// SetHash stores the aggregated hash with which the state followed a layer.
func SetHash(ctx context.Context, q store.Execer, layer wire.LayerID, hash wire.Hash32) error {
	return exec(ctx, q, "store aggregated hash", setHashSQL, int64(layer), hash[:])
}

// ClearHashes forgets the aggregated hashes of layers above one.
func ClearHashes(ctx context.Context, q store.Execer, above wire.LayerID) error {
	return exec(ctx, q, "clear aggregated hashes", clearHashesSQL, int64(above))
}

// Validity is the tortoise's word on a block.
type Validity struct {
	Block wire.BlockID
	Layer wire.LayerID
	Valid bool
}

// SetValidity stores what the tortoise decided in a layer.
func SetValidity(ctx context.Context, q store.Execer, layer wire.LayerID, verdicts []mesh.Verdict) error {
	if len(verdicts) == 0 {
		return nil
	}
	return exec(ctx, q, "store block validity", setValiditySQL,
		store.Column(verdicts, func(v *mesh.Verdict) []byte { return v.ID[:] }),
		store.Column(verdicts, func(*mesh.Verdict) int64 { return int64(layer) }),
		store.Column(verdicts, func(v *mesh.Verdict) bool { return v.Valid }))
}

// ValidityFrom reads decisions of layers from one on.
func ValidityFrom(ctx context.Context, q store.Querier, from wire.LayerID) ([]Validity, error) {
	rows, err := q.Query(ctx, validityFromSQL, int64(from))
	if err != nil {
		return nil, fmt.Errorf("read block validity: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Validity, err error) {
		var id []byte
		var layer int64
		if err = row.Scan(&id, &layer, &v.Valid); err == nil {
			v.Block, v.Layer = wire.BlockID(id), wire.LayerID(layer)
		}
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read block validity: %w", err)
	}
	return out, nil
}

// Certificates reads the outputs of a layer.
func Certificates(ctx context.Context, q store.Querier, layer wire.LayerID) ([]block.Row, error) {
	rows, err := q.Query(ctx, certificatesSQL, int64(layer))
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r block.Row, err error) {
		var id, blob []byte
		if err = row.Scan(&id, &blob, &r.Valid); err != nil {
			return r, err
		}
		r.Block = wire.BlockID(id)
		if blob != nil {
			r.Certificate = new(wire.Certificate)
			err = codec.Decode(blob, r.Certificate)
		}
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read certificates of layer %d: %w", layer, err)
	}
	return out, nil
}

// SaveCertificate carries out what the certifier decided.
func SaveCertificate(ctx context.Context, tx pgx.Tx, s *block.Save) error {
	blob, err := codec.Encode(&s.Certificate)
	if err != nil {
		return fmt.Errorf("encode certificate: %w", err)
	}
	layer, id := int64(s.Layer), s.Certificate.BlockID
	if err := exec(ctx, tx, "store certificate", upsertCertificateSQL, layer, id[:], blob); err != nil {
		return err
	}
	bytes := func(id *wire.BlockID) []byte { return id[:] }
	if err := exec(ctx, tx, "mark certificates", setCertificatesSQL, layer, store.Column(s.Valid, bytes), true); err != nil {
		return err
	}
	return exec(ctx, tx, "mark certificates", setCertificatesSQL, layer, store.Column(s.Invalid, bytes), false)
}

// InsertOutput stores hare's own output; a row for the block stays as it is.
func InsertOutput(ctx context.Context, q store.Execer, layer wire.LayerID, row *block.Row) error {
	return exec(ctx, q, "store hare output", insertOutputSQL, int64(layer), row.Block[:], row.Valid)
}

// InsertBeacon stores an epoch's beacon; a stored one stays unless overwrite.
func InsertBeacon(ctx context.Context, q store.Execer, epoch wire.EpochID, beacon wire.Beacon, overwrite bool) error {
	return exec(ctx, q, "store beacon", insertBeaconSQL, int64(epoch), beacon[:], overwrite)
}

// Beacons reads all beacons.
func Beacons(ctx context.Context, q store.Querier) (map[wire.EpochID]wire.Beacon, error) {
	rows, err := q.Query(ctx, beaconsSQL)
	if err != nil {
		return nil, fmt.Errorf("read beacons: %w", err)
	}
	out := make(map[wire.EpochID]wire.Beacon)
	var epoch int64
	var beacon []byte
	_, err = pgx.ForEachRow(rows, []any{&epoch, &beacon}, func() error {
		out[wire.EpochID(epoch)] = wire.Beacon(beacon)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read beacons: %w", err)
	}
	return out, nil
}

// ClaimNetwork binds the tables to a network at the first start, and answers the
// network to which they are bound.
func ClaimNetwork(ctx context.Context, db interface {
	store.Execer
	store.Querier
}, id wire.Hash20) (wire.Hash20, error) {
	if err := exec(ctx, db, "claim network", claimNetworkSQL, id[:]); err != nil {
		return wire.Hash20{}, err
	}
	have, err := one[[]byte](ctx, db, networkSQL)
	if err != nil {
		return wire.Hash20{}, fmt.Errorf("read network: %w", err)
	}
	return wire.Hash20(have), nil
}

func exec(ctx context.Context, q store.Execer, what, sql string, args ...any) error {
	if _, err := q.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
