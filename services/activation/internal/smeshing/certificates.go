package smeshing

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Certificates is the table that poets.Certificates keeps.
type Certificates struct{ DB *store.DB }

// Load finds a certificate.
func (c Certificates) Load(ctx context.Context, id wire.NodeID, certifier []byte) (out poet.SignedCertificate, ok bool, err error) {
	err = c.DB.QueryRow(ctx, `SELECT data, signature FROM certificates WHERE node_id = $1 AND certifier = $2`, id[:], certifier).
		Scan(&out.Data, &out.Signature)
	if errors.Is(err, pgx.ErrNoRows) {
		return out, false, nil
	}
	if err != nil {
		return out, false, fmt.Errorf("load certificate: %w", err)
	}
	return out, true, nil
}

// Save keeps a certificate in place of an older one.
func (c Certificates) Save(ctx context.Context, id wire.NodeID, certifier []byte, cert poet.SignedCertificate) error {
	_, err := c.DB.Exec(ctx, `INSERT INTO certificates (node_id, certifier, data, signature) VALUES ($1, $2, $3, $4)
		ON CONFLICT (node_id, certifier) DO UPDATE SET data = excluded.data, signature = excluded.signature`,
		id[:], certifier, cert.Data, cert.Signature)
	if err != nil {
		return fmt.Errorf("save certificate: %w", err)
	}
	return nil
}

// Drop forgets a certificate that a PoET did not take.
func (c Certificates) Drop(ctx context.Context, id wire.NodeID, certifier []byte) error {
	_, err := c.DB.Exec(ctx, `DELETE FROM certificates WHERE node_id = $1 AND certifier = $2`, id[:], certifier)
	if err != nil {
		return fmt.Errorf("drop certificate: %w", err)
	}
	return nil
}
