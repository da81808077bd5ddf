package tasks

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
)

// Announce takes down what lies on a disk, and forgets what does not any more.
// It answers the identities whose data another disk has.
func (q *Queue) Announce(ctx context.Context, r bus.AnnounceRequest) ([]wire.NodeID, error) {
	if r.Store == "" {
		return nil, bus.Errorf(bus.BadRequest, "no store")
	}
	var elsewhere []wire.NodeID
	err := store.RetryTx(ctx, q.db, func(tx pgx.Tx) (err error) {
		if elsewhere, err = putSpaces(ctx, tx, r.Store, r.Spaces); err != nil {
			return err
		}
		nodes := store.Column(r.Spaces, func(s *bus.SpaceData) []byte { return s.Node[:] })
		_, err = tx.Exec(ctx, forgetSQL, r.Store, nodes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("announce data: %w", err)
	}
	q.ended()
	return elsewhere, nil
}

func putSpaces(ctx context.Context, tx pgx.Tx, disk string, spaces []bus.SpaceData) ([]wire.NodeID, error) {
	rows, err := tx.Query(ctx, putSpacesSQL, disk,
		store.Column(spaces, func(s *bus.SpaceData) []byte { return s.Node[:] }),
		store.Column(spaces, func(s *bus.SpaceData) []byte { return s.Commitment[:] }),
		store.Column(spaces, func(s *bus.SpaceData) int64 { return int64(s.Units) }),
		store.Column(spaces, func(s *bus.SpaceData) int64 { return int64(s.LabelsPerUnit) }),
		store.Column(spaces, func(s *bus.SpaceData) *int64 { return signed(s.Nonce) }),
		store.Column(spaces, func(s *bus.SpaceData) bool { return s.Complete && s.Nonce != nil }))
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	return store.Column(ids, func(id *[]byte) wire.NodeID { return wire.NodeID(*id) }), err
}

func signed(n *uint64) *int64 {
	if n == nil {
		return nil
	}
	v := int64(*n)
	return &v
}

// Info is what is known of an identity's data: of the post-service that is
// connected, or else of a disk.
func (q *Queue) Info(ctx context.Context, id wire.NodeID) (smeshing.SpaceInfo, bool, error) {
	info, ok, _, err := q.info(ctx, id)
	return info, ok, err
}

// info tells also whether it is that of a post-service.
func (q *Queue) info(ctx context.Context, id wire.NodeID) (info smeshing.SpaceInfo, ok, remote bool, err error) {
	var commitment []byte
	var units, labels int64
	var nonce *int64
	err = q.db.QueryRow(ctx, infoSQL, id[:], q.cfg.Lost.Milliseconds()).Scan(&commitment, &units, &labels, &nonce, &remote)
	if store.NotFound(err) {
		return info, false, false, nil
	}
	if err != nil {
		return info, false, false, fmt.Errorf("read space: %w", err)
	}
	info = smeshing.SpaceInfo{
		Node: id, Commitment: wire.ATXID(commitment), Units: uint32(units), LabelsPerUnit: uint64(labels),
	}
	if nonce != nil {
		n := uint64(*nonce)
		info.Nonce = &n
	}
	return info, true, remote, nil
}

// Connection is a post-service that is connected to a process.
type Connection struct {
	Holder string
	// Number tells connections of a process apart.
	Number int64
	Data   bus.SpaceData
}

// Connect registers a post-service; false says that the identity has one.
func (q *Queue) Connect(ctx context.Context, c *Connection) (bool, error) {
	d := &c.Data
	tag, err := q.db.Exec(ctx, connectSQL, d.Node[:], c.Holder, c.Number, d.Commitment[:], int64(d.Units),
		int64(d.LabelsPerUnit), signed(d.Nonce), q.cfg.Lost.Milliseconds())
	if err != nil {
		return false, fmt.Errorf("register post-service: %w", err)
	}
	q.ended()
	return tag.RowsAffected() == 1, nil
}

// Seen keeps the registrations of a process.
func (q *Queue) Seen(ctx context.Context, holder string, nodes []wire.NodeID) error {
	if _, err := q.db.Exec(ctx, seenSQL, holder, keys(nodes)); err != nil {
		return fmt.Errorf("keep post-services: %w", err)
	}
	return nil
}

// Disconnect forgets a post-service.
func (q *Queue) Disconnect(ctx context.Context, c *Connection) error {
	if _, err := q.db.Exec(ctx, disconnectSQL, c.Data.Node[:], c.Holder, c.Number); err != nil {
		return fmt.Errorf("forget post-service: %w", err)
	}
	return nil
}
