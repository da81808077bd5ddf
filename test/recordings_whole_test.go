package test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// manifest is what a recording says about itself.
type manifest struct {
	Network     string           `json:"network"`
	Preset      string           `json:"preset"`
	ATXVersions map[string]uint8 `json:"atx_versions"`
	Files       map[string]int   `json:"files"`
}

// row is what the lines of all files have in common, as far as it is looked at.
type row struct {
	ID      string  `json:"id"`
	Version uint8   `json:"version"`
	Blob    *string `json:"blob"`
	// Of layers:
	Layer          uint32  `json:"layer"`
	StateHash      *string `json:"state_hash"`
	AggregatedHash *string `json:"aggregated_hash"`
}

// TestRecordingsAreWhole reads every line of every recording: a recording that
// was cut short would let a replay end early and well.
func TestRecordingsAreWhole(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(vectors.RecordingsDir(), "*", "manifest.json"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, path := range dirs {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var m manifest
		require.NoError(t, json.Unmarshal(raw, &m))
		t.Run(m.Network, func(t *testing.T) {
			_, err := network.Preset(m.Preset)
			require.NoError(t, err)
			require.Greater(t, len(m.Files), 10)
			for name, count := range m.Files {
				rows := readRows(t, filepath.Join(filepath.Dir(path), name+".jsonl.gz"))
				require.Len(t, rows, count, name)
				for _, r := range rows {
					requireNamed(t, name, r)
				}
			}
		})
	}
}

func readRows(t *testing.T, path string) (rows []row) {
	t.Helper()
	packed, err := os.ReadFile(path)
	require.NoError(t, err)
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue // a file without objects is an empty line
		}
		var r row
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r), "%s line %d", path, len(rows)+1)
		rows = append(rows, r)
	}
	require.NoError(t, lines.Err())
	return rows
}

// requireNamed checks that an object bears the name that its bytes give it.
func requireNamed(t *testing.T, file string, r row) {
	t.Helper()
	if r.Blob == nil {
		return
	}
	blob, err := hex.DecodeString(*r.Blob)
	require.NoError(t, err)
	var name string
	switch {
	case file == "atxs" && r.Version == 2:
		var m wire.ActivationTxV2
		require.NoError(t, codec.Decode(blob, &m))
		name = m.ID().String()
	case file == "atxs":
		var m wire.ActivationTxV1
		require.NoError(t, codec.Decode(blob, &m))
		name = m.ID().String()
	case file == "ballots":
		var m wire.Ballot
		require.NoError(t, codec.Decode(blob, &m))
		name = wire.Pad32(m.ID()).String()
	case file == "blocks":
		var m wire.Block
		require.NoError(t, codec.Decode(blob, &m))
		name = wire.Pad32(m.ID()).String()
	case file == "activesets":
		var m wire.EpochActiveSet
		require.NoError(t, codec.Decode(blob, &m))
		name = m.Hash().String()
	default:
		return
	}
	require.Equal(t, r.ID, name, file)
}
