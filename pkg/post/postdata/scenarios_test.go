package postdata

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
)

type scenario struct {
	Name          string
	NodeID        vectors.Hex `json:"node_id"`
	CommitmentATX vectors.Hex `json:"commitment_atx_id"`
	Commitment    vectors.Hex
	Steps         []step
}

type step struct {
	Action        string
	Batch         vectors.Uint64
	NewError      *string `json:"new_error"`
	Error         *string
	Files         []file
	FromFile      *uint64        `json:"from_file"`
	ToFile        *uint64        `json:"to_file"`
	LabelsPerUnit vectors.Uint64 `json:"labels_per_unit"`
	MaxFileSize   vectors.Uint64 `json:"max_file_size"`
	NumUnits      uint32         `json:"num_units"`
	ScryptN       uint64         `json:"scrypt_n"`
	NodeID        vectors.Hex    `json:"node_id"`
	CommitmentATX vectors.Hex    `json:"commitment_atx_id"`
	Nonce         *vectors.Uint64
	NonceValue    vectors.Hex     `json:"nonce_value"`
	NumWritten    *vectors.Uint64 `json:"num_labels_written"`
	StatusBefore  *Status         `json:"status_before"`
	StatusAfter   *Status         `json:"status_after"`
	CancelledIn   int             `json:"cancelled_in_batch"`
	File          string
	ToSize        int64 `json:"to_size"`
}

type file struct {
	Name, Mode, Text string
	Size             int64
	Blake3           vectors.Hex
}

// cancelling stops the run while it computes its n-th batch.
type cancelling struct {
	post.Engine
	left   int
	cancel func()
}

func (c *cancelling) Labels(job post.LabelJob, out []byte) (post.NonceSearch, error) {
	if c.left--; c.left == 0 {
		c.cancel()
	}
	return c.Engine.Labels(job, out)
}

func (c *scenario) options(dir string, s *step) Options {
	o := Options{
		Dir: dir, NodeID: c.NodeID.Array32(), CommitmentATX: c.CommitmentATX.Array32(),
		NumUnits: s.NumUnits, MaxFileSize: uint64(s.MaxFileSize), BatchSize: uint64(s.Batch), ToFile: s.ToFile,
		Params: post.Params{
			MinNumUnits: 1, MaxNumUnits: 10, LabelsPerUnit: uint64(s.LabelsPerUnit), K1: 26,
			Scrypt: post.Scrypt{N: s.ScryptN, R: 1, P: 1},
		},
		Engine: cpu.New(2),
	}
	if s.FromFile != nil {
		o.FromFile = *s.FromFile
	}
	if s.NodeID != nil {
		o.NodeID = s.NodeID.Array32()
	}
	if s.CommitmentATX != nil {
		o.CommitmentATX = s.CommitmentATX.Array32()
	}
	// These two options are only in the name of their case.
	if c.Name == "config: r = 2" {
		o.Params.Scrypt.R = 2
	}
	if c.Name == "config: no provider" {
		o.Engine = nil
	}
	return o
}

func TestVectorInitScenarios(t *testing.T) {
	vectors.Run(t, "post/init_scenarios", func(t *testing.T, c scenario) {
		require.Equal(t, c.Commitment.Array32(),
			post.Commitment(c.NodeID.Array32(), c.CommitmentATX.Array32()))
		dir := t.TempDir()
		torn := -1
		for i := range c.Steps {
			s := &c.Steps[i]
			switch s.Action {
			case "init":
				c.init(t, dir, s)
			case "search for nonce":
				search(t, dir, s)
			default:
				edit(t, dir, s)
			}
			if s.Action == "truncate" && s.ToSize%post.LabelSize != 0 {
				torn = i
			}
			want := s.Files
			if torn >= 0 && i > torn {
				// Other tools append to a torn label and spoil the data; here the
				// directory must become what it was before it was torn.
				want = c.Steps[torn-1].Files
			}
			requireFiles(t, dir, want)
		}
	})
}

func (c *scenario) init(t *testing.T, dir string, s *step) {
	opts := c.options(dir, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if s.CancelledIn > 0 {
		opts.Engine = &cancelling{Engine: opts.Engine, left: s.CancelledIn, cancel: cancel}
	}
	session, err := Open(opts)
	if s.NewError != nil {
		requireClass(t, *s.NewError, err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, *s.StatusBefore, session.Status())
	err = session.Run(ctx)
	if s.Error != nil {
		requireClass(t, *s.Error, err)
	} else {
		require.NoError(t, err)
	}
	require.Equal(t, *s.StatusAfter, session.Status())
	require.Equal(t, uint64(*s.NumWritten), session.Position())
	requireNonce(t, s, session.Metadata())
}

func requireNonce(t *testing.T, s *step, meta post.Metadata) {
	if s.Nonce == nil {
		require.Nil(t, meta.Nonce)
		return
	}
	require.NotNil(t, meta.Nonce)
	require.Equal(t, uint64(*s.Nonce), *meta.Nonce)
}

func search(t *testing.T, dir string, s *step) {
	meta, err := SearchNonce(t.Context(), dir, s.FromFile, s.ToFile)
	if s.Error != nil {
		requireClass(t, *s.Error, err)
		return
	}
	require.NoError(t, err)
	requireNonce(t, s, *meta)
	require.Equal(t, []byte(s.NonceValue), meta.NonceValue)
}

// requireClass maps the vector's texts to errors.
func requireClass(t *testing.T, text string, err error) {
	if param, is := strings.CutPrefix(text, "ConfigMismatch:"); is {
		var mismatch *MismatchError
		require.ErrorAs(t, err, &mismatch)
		require.Equal(t, param, mismatch.Param)
		return
	}
	for part, class := range map[string]error{
		"metadata file is missing": ErrMetadataMissing, "invalid range": ErrRange, "canceled": ErrCanceled,
		"no provider": ErrNoProvider, "invalid `": ErrConfig, "invalid scrypt params": ErrConfig,
		"nonce not found": ErrNonceNotFound,
	} {
		if strings.Contains(text, part) {
			require.ErrorIs(t, err, class)
			return
		}
	}
	require.Failf(t, "error of unknown class", "%s: %v", text, err)
}

// edit changes the directory as its user would.
func edit(t *testing.T, dir string, s *step) {
	path := filepath.Join(dir, s.File)
	changes, isEdit := strings.CutPrefix(s.Action, "edit metadata: ")
	switch {
	case s.Action == "truncate":
		require.NoError(t, os.Truncate(path, s.ToSize))
	case s.Action == "remove":
		require.NoError(t, os.Remove(path))
	case isEdit:
		meta, err := LoadMetadata(dir)
		require.NoError(t, err)
		for change := range strings.SplitSeq(changes, ", ") {
			var position uint64
			switch change {
			case "remove Nonce and NonceValue":
				meta.Nonce, meta.NonceValue = nil, nil
			case "remove NonceValue":
				meta.NonceValue = nil
			default:
				_, err := fmt.Sscanf(change, "LastPosition=%d", &position)
				require.NoError(t, err)
				meta.LastPosition = &position
			}
		}
		require.NoError(t, SaveMetadata(dir, meta))
	default:
		require.Failf(t, "unknown action", "%s", s.Action)
	}
}

// requireFiles compares the whole directory: no file may be missing or extra.
func requireFiles(t *testing.T, dir string, want []file) {
	if want == nil {
		return
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, len(want))
	for _, f := range want {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name))
		require.NoError(t, err)
		require.Len(t, raw, int(f.Size), f.Name)
		info, err := os.Stat(filepath.Join(dir, f.Name))
		require.NoError(t, err)
		require.Equal(t, f.Mode, fmt.Sprintf("%o", info.Mode().Perm()))
		if f.Text != "" {
			require.Equal(t, f.Text, string(raw))
			requireReads(t, raw)
		} else {
			require.Equal(t, f.Blake3.Array32(), blake3.Sum256(raw), f.Name)
		}
	}
}

func requireReads(t *testing.T, raw []byte) {
	m, err := post.ParseMetadata(raw)
	require.NoError(t, err)
	require.True(t, json.Valid(m.Encode()))
	require.Equal(t, string(raw), string(m.Encode()))
}
