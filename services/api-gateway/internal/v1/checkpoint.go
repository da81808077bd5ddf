package v1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/checkpoint"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// checkpoint writes the checkpoint of a layer and opens it. All of it is of one
// moment. Whoever made the same one before has it replaced as a whole.
func (a *api) checkpoint(ctx context.Context, layer wire.LayerID, atxs uint32) (*os.File, error) {
	if err := os.MkdirAll(a.CheckpointDir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(a.CheckpointDir, ".snapshot-*")
	if err != nil {
		return nil, err
	}
	err = a.writeCheckpoint(ctx, file, layer, int(atxs))
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(a.CheckpointDir, checkpoint.Name(layer)))
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close(), removeIfThere(file.Name()))
	}
	return file, nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (a *api) writeCheckpoint(ctx context.Context, w io.Writer, layer wire.LayerID, atxs int) error {
	// Reading only: ending it by a rollback loses nothing.
	tx, err := a.Node.DB.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	malicious, err := activation.MaliciousIDs(ctx, tx)
	if err != nil {
		return err
	}
	marriages, err := activation.CheckpointMarriages(ctx, tx)
	if err != nil {
		return err
	}
	return checkpoint.Write(w, layer, atxs, checkpoint.Source{
		ATXs:      activation.CheckpointATXs(ctx, tx),
		Malicious: func(id wire.NodeID) bool { return malicious[id] },
		Versions:  state.CheckpointVersions(ctx, tx, layer),
		Marriages: marriages,
	})
}
