package records

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
)

// Document is the guard's records of an identity.
type Document struct {
	Version    int           `json:"version"`
	Network    string        `json:"network"`
	Identity   wire.NodeID   `json:"identity"`
	Exported   time.Time     `json:"exported"`
	Signed     []Slot        `json:"signed"`
	Quarantine []Quarantined `json:"quarantine"`
}

// Slot is a slot that was signed in.
type Slot struct {
	Kind  string      `json:"kind"`
	Major uint32      `json:"major"`
	Minor uint32      `json:"minor"`
	Hash  wire.Hash32 `json:"hash"`
}

// Quarantined are slots that may have been signed in, up to Through.
type Quarantined struct {
	Kind    string `json:"kind"`
	Through uint32 `json:"through"`
	Reason  string `json:"reason"`
}

const version = 1

// Reasons to refuse a document.
var (
	ErrDocument = errors.New("not a document of guard records")
	ErrNetwork  = errors.New("records are of another network")
)

// Export retires an identity and returns its records. A repeat returns the same.
func Export(ctx context.Context, db *store.DB, network []byte, id wire.NodeID, now time.Time) ([]byte, error) {
	if err := guard.Retire(ctx, db, id, "exported"); err != nil {
		return nil, err
	}
	doc := Document{
		Version: version, Network: hex.EncodeToString(network), Identity: id, Exported: now.UTC(),
		Signed: []Slot{}, Quarantine: []Quarantined{},
	}
	rows, err := db.Query(ctx, `SELECT kind, major, minor, hash FROM signed_slots WHERE node_id = $1 ORDER BY kind, major, minor`, id[:])
	if err != nil {
		return nil, fmt.Errorf("export records: %w", err)
	}
	var kind int16
	var major, minor int64
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&kind, &major, &minor, &hash}, func() error {
		doc.Signed = append(doc.Signed, Slot{nameOf(kind), uint32(major), uint32(minor), wire.Hash32(hash)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("export records: %w", err)
	}
	rows, err = db.Query(ctx, `SELECT kind, max(through_major), max(reason) FROM quarantine WHERE node_id IN ($1, '') GROUP BY kind ORDER BY kind`, id[:])
	if err != nil {
		return nil, fmt.Errorf("export quarantine: %w", err)
	}
	var reason string
	_, err = pgx.ForEachRow(rows, []any{&kind, &major, &reason}, func() error {
		doc.Quarantine = append(doc.Quarantine, Quarantined{nameOf(kind), uint32(major), reason})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("export quarantine: %w", err)
	}
	out, err := json.MarshalIndent(&doc, "", "  ")
	return append(out, '\n'), err
}

func nameOf(kind int16) string {
	rule, _ := signing.RuleOf(signing.SlotKind(kind))
	return rule.Name
}

func kindOf(name string) (signing.SlotKind, bool) {
	for _, k := range signing.Kinds() {
		if rule, _ := signing.RuleOf(k); rule.Name == name {
			return k, rule.Guarded
		}
	}
	return 0, false
}

// Parse reads a document and checks that all of it is understood: a record that
// was skipped would be a slot that is not guarded.
func Parse(raw, network []byte) (*Document, error) {
	var doc Document
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if doc.Version != version {
		return nil, fmt.Errorf("%w: version %d, know %d", ErrDocument, doc.Version, version)
	}
	if doc.Network != hex.EncodeToString(network) {
		return nil, fmt.Errorf("%w: %q", ErrNetwork, doc.Network)
	}
	if wire.IsZero(doc.Identity) {
		return nil, fmt.Errorf("%w: no identity", ErrDocument)
	}
	for i := range doc.Signed {
		if _, ok := kindOf(doc.Signed[i].Kind); !ok {
			return nil, fmt.Errorf("%w: kind %q of slot", ErrDocument, doc.Signed[i].Kind)
		}
	}
	for i := range doc.Quarantine {
		if _, ok := kindOf(doc.Quarantine[i].Kind); !ok {
			return nil, fmt.Errorf("%w: kind %q of quarantine", ErrDocument, doc.Quarantine[i].Kind)
		}
	}
	return &doc, nil
}

// Import adds the records of a document and ends the identity's retirement. A
// repeat changes nothing.
func Import(ctx context.Context, db *store.DB, doc *Document) error {
	through := make(map[string]guard.Through)
	for _, q := range doc.Quarantine {
		kind, _ := kindOf(q.Kind)
		if through[q.Reason] == nil {
			through[q.Reason] = make(guard.Through)
		}
		through[q.Reason][kind] = max(through[q.Reason][kind], q.Through)
	}
	for reason, t := range through {
		if err := guard.Quarantine(ctx, db, &doc.Identity, t, reason); err != nil {
			return err
		}
	}
	return guard.Return(ctx, db, doc.Identity, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO signed_slots (node_id, kind, major, minor, hash, term)
			SELECT $1, kind, major, minor, hash, 1 FROM unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bytea[]) AS s (kind, major, minor, hash)
			ON CONFLICT DO NOTHING`, doc.Identity[:],
			store.Column(doc.Signed, func(s *Slot) int16 { k, _ := kindOf(s.Kind); return int16(k) }),
			store.Column(doc.Signed, func(s *Slot) int64 { return int64(s.Major) }),
			store.Column(doc.Signed, func(s *Slot) int64 { return int64(s.Minor) }),
			store.Column(doc.Signed, func(s *Slot) []byte { return s.Hash[:] }))
		return err
	})
}
