package source_test

import (
	"bytes"
	"context"
	"iter"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source/sourcetest"
	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

const atx2 = "fastnet-hare4-atx2"

func recording(name string) string { return filepath.Join(vectors.RecordingsDir(), name) }

func open(t testing.TB, path string, m *source.Manifest) source.Source {
	t.Helper()
	s, err := source.Open(t.Context(), path, m)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func rows[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for row, err := range seq {
		require.NoError(t, err)
		out = append(out, row)
	}
	return out
}

func TestOverridesReachTheNetworksNumbers(t *testing.T) {
	p := open(t, recording(atx2), nil).Params()
	require.Equal(t, []network.ATXVersion{{Epoch: 3, Version: 2}}, p.ATXVersions)
	require.Equal(t, wire.LayerID(20), p.Hare3.DisableLayer)
	require.True(t, p.Hare4.Enable)
	require.Equal(t, wire.LayerID(20), p.Hare4.EnableLayer)
	require.Equal(t, uint16(800), p.Hare4.Committee)
	require.Equal(t, 700*time.Millisecond, p.Hare4.RoundDuration)
	require.Equal(t, uint8(2), p.Hare4.IterationsLimit)
	require.Len(t, p.Genesis.Accounts, 6)
	require.Equal(t, time.Date(2026, 11, 22, 18, 6, 43, 0, time.UTC), p.Genesis.Time)
}

// blank clears what only says where a row stood.
func blank[T any](in []T, place func(*T) *source.Place) []T {
	for i := range in {
		*place(&in[i]) = source.Place{}
	}
	return in
}

// A database that holds what a recording does gives the same rows.
func TestADatabaseGivesTheRowsOfItsRecording(t *testing.T) {
	want := open(t, recording(atx2), nil)
	path := filepath.Join(t.TempDir(), "state.sql")
	sourcetest.WriteDatabase(t, path, want)
	m, err := source.ReadManifest(filepath.Join(recording(atx2), "manifest.json"))
	require.NoError(t, err)
	got := open(t, path, m)
	ctx := t.Context()
	require.Equal(t, want.Params(), got.Params())
	for _, k := range source.Kinds() {
		require.Equal(t, want.Count(k), got.Count(k), k)
	}
	sameRows(t, want.ATXs(ctx), got.ATXs(ctx), func(a *source.ATX) *source.Place { return &a.Place })
	sameRows(t, want.PoetProofs(ctx), got.PoetProofs(ctx), func(p *source.PoetProof) *source.Place { return &p.Place })
	sameRows(t, want.Layers(ctx), got.Layers(ctx), func(l *source.Layer) *source.Place { return &l.Place })
	sameRows(t, want.Ballots(ctx), got.Ballots(ctx), func(b *source.Ballot) *source.Place { return &b.Place })
	sameRows(t, want.Blocks(ctx), got.Blocks(ctx), func(b *source.Block) *source.Place { return &b.Place })
	sameRows(t, want.Transactions(ctx), got.Transactions(ctx), func(x *source.Transaction) *source.Place { return &x.Place })
	sameRows(t, want.Certificates(ctx), got.Certificates(ctx), func(c *source.Certificate) *source.Place { return &c.Place })
	sameRows(t, want.Rewards(ctx), got.Rewards(ctx), func(r *source.Reward) *source.Place { return &r.Place })
	sameRows(t, want.Accounts(ctx), got.Accounts(ctx), func(a *source.Account) *source.Place { return &a.Place })
	for _, s := range []source.Source{want, got} {
		ballot := rows(t, s.Ballots(ctx))[3]
		blob, err := s.Object(ctx, bus.KindBallot, wire.Pad32(ballot.ID))
		require.NoError(t, err)
		require.Equal(t, ballot.Blob, blob)
		blob, err = s.Object(ctx, bus.KindATX, wire.Hash32{1})
		require.NoError(t, err)
		require.Nil(t, blob)
	}
}

func sameRows[T any](t *testing.T, want, got iter.Seq2[T, error], place func(*T) *source.Place) {
	t.Helper()
	require.NotEmpty(t, rows(t, want))
	require.ElementsMatch(t, blank(rows(t, want), place), blank(rows(t, got), place))
}

func TestRowsComeInOrderEvenIfTheFileIsNot(t *testing.T) {
	dir := sourcetest.Copy(t, recording(atx2))
	path := sourcetest.File(dir, "ballots")
	lines := sourcetest.Lines(t, path)
	lines[0], lines[len(lines)-1] = lines[len(lines)-1], lines[0]
	sourcetest.Rewrite(t, path, lines)
	last := wire.LayerID(0)
	for _, b := range rows(t, open(t, dir, nil).Ballots(t.Context())) {
		require.GreaterOrEqual(t, b.Layer, last)
		last = b.Layer
	}
}

func TestDamageIsNamedWithFileAndLine(t *testing.T) {
	edit := func(kind string, line int, change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := sourcetest.File(dir, kind)
			lines := sourcetest.Lines(t, path)
			lines[line-1] = change(lines[line-1])
			sourcetest.Rewrite(t, path, lines)
		}
	}
	replace := func(old, new string) func([]byte) []byte {
		return func(line []byte) []byte { return bytes.Replace(line, []byte(old), []byte(new), 1) }
	}
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
	}{
		"file cut": {func(t *testing.T, dir string) {
			st, err := os.Stat(sourcetest.File(dir, "atxs"))
			require.NoError(t, err)
			require.NoError(t, os.Truncate(sourcetest.File(dir, "atxs"), st.Size()/2))
		}, `atxs\.jsonl\.gz:\d+: the file is cut short`},
		"empty file": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(sourcetest.File(dir, "atxs"), 0))
		}, `atxs\.jsonl\.gz: the file is cut short`},
		"no gzip": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(sourcetest.File(dir, "atxs"), []byte("[1,2,3] and no gzip"), 0o600))
		}, `atxs\.jsonl\.gz: not a gzip file`},
		"bytes altered": {func(t *testing.T, dir string) {
			raw, err := os.ReadFile(sourcetest.File(dir, "blocks"))
			require.NoError(t, err)
			raw[len(raw)-6] ^= 1
			require.NoError(t, os.WriteFile(sourcetest.File(dir, "blocks"), raw, 0o600))
		}, `blocks\.jsonl\.gz:\d+: the file was altered`},
		"line cut":        {edit("ballots", 7, func(l []byte) []byte { return l[:len(l)/2] }), `ballots\.jsonl\.gz:7: not a JSON object`},
		"line is a list":  {edit("ballots", 7, func([]byte) []byte { return []byte("[1]") }), `ballots\.jsonl\.gz:7: not a JSON object`},
		"two objects":     {edit("ballots", 7, func(l []byte) []byte { return append(l, "{}"...) }), `ballots\.jsonl\.gz:7: more than one`},
		"field lost":      {edit("atxs", 2, replace(`"weight"`, `"wait"`)), `atxs\.jsonl\.gz:2: weight is missing`},
		"no hex":          {edit("atxs", 2, replace(`"id":"`, `"id":"zz`)), `atxs\.jsonl\.gz:2: id is not hex`},
		"id too long":     {edit("atxs", 2, replace(`"id":"`, `"id":"00`)), `atxs\.jsonl\.gz:2: id has 33 bytes, not 32`},
		"text for number": {edit("layers", 3, replace(`"layer":9`, `"layer":"nine"`)), `layers\.jsonl\.gz:3: layer is no number`},
		"fraction":        {edit("layers", 3, replace(`"layer":9`, `"layer":9.5`)), `layers\.jsonl\.gz:3: layer is 9\.5, which is no integer`},
		"layer too large": {edit("layers", 3, replace(`"layer":9`, `"layer":4294967296`)), `layers\.jsonl\.gz:3: layer is 4294967296`},
		"row lost": {func(t *testing.T, dir string) {
			lines := sourcetest.Lines(t, sourcetest.File(dir, "rewards"))
			sourcetest.Rewrite(t, sourcetest.File(dir, "rewards"), lines[:len(lines)-1])
		}, `rewards\.jsonl\.gz:67: 67 rows, but the manifest counts 68`},
		"file lost": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(sourcetest.File(dir, "marriages")))
		}, `marriages\.jsonl\.gz: no such file`},
		"no manifest": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "manifest.json")))
		}, `manifest\.json: no such file`},
		"manifest cut": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, "manifest.json"), 200))
		}, `manifest\.json:\d+: the file is cut short`},
		"unknown key": {func(t *testing.T, dir string) {
			editManifest(t, dir, `"preset"`, `"presets"`)
		}, `manifest\.json:\d+: unknown field "presets"`},
		"unknown preset": {func(t *testing.T, dir string) {
			editManifest(t, dir, `"preset": "fastnet"`, `"preset": "slownet"`)
		}, `preset "slownet" is not one of`},
		"unknown protocol key": {func(t *testing.T, dir string) {
			editManifest(t, dir, `"leaders"`, `"followers"`)
		}, `overrides: hare4\.followers is not known`},
		"bad value": {func(t *testing.T, dir string) {
			editManifest(t, dir, `"leaders": 10`, `"leaders": 70000`)
		}, `overrides: hare4\.leaders: 70000 is no whole number from 0 to 65535`},
		"foreign account": {func(t *testing.T, dir string) {
			editManifest(t, dir, `"stest1`, `"sm1`)
		}, `genesis account sm1`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sourcetest.Copy(t, recording(atx2))
			c.damage(t, dir)
			_, err := source.Open(t.Context(), dir, nil)
			var typed *source.Error
			require.ErrorAs(t, err, &typed)
			require.Regexp(t, c.want, err.Error())
		})
	}
}

func editManifest(t *testing.T, dir, old, new string) {
	t.Helper()
	path := filepath.Join(dir, "manifest.json")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := bytes.Replace(raw, []byte(old), []byte(new), 1)
	require.NotEqual(t, raw, changed)
	require.NoError(t, os.WriteFile(path, changed, 0o600))
}

func TestADatabaseWithoutATableOrColumnIsRefusedByName(t *testing.T) {
	m := &source.Manifest{Preset: "mainnet"}
	path := filepath.Join(t.TempDir(), "state.sql")
	require.NoError(t, os.WriteFile(path, []byte("this is no database, but long enough to look like one ......................................................................"), 0o600))
	_, err := source.Open(context.Background(), path, m)
	require.ErrorContains(t, err, "not a readable SQLite database")

	require.NoError(t, os.Remove(path))
	sourcetest.WriteDatabase(t, path, open(t, recording(atx2), nil))
	sourcetest.Exec(t, path, "ALTER TABLE atxs RENAME COLUMN tick_count TO ticks; DROP TABLE poets")
	_, err = source.Open(t.Context(), path, m)
	require.ErrorContains(t, err, "table atxs has no column tick_count")
	require.ErrorContains(t, err, "table poets is missing")

	_, err = source.Open(t.Context(), path, nil)
	require.ErrorContains(t, err, "--preset")
}

func TestARecoveredDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.sql")
	sourcetest.WriteDatabase(t, path, open(t, recording(atx2), nil))
	sourcetest.Exec(t, path, "INSERT INTO recovery VALUES (1, 20)")
	_, err := source.Open(t.Context(), path, &source.Manifest{Preset: "mainnet"})
	require.ErrorContains(t, err, "checkpoint")
}

func TestReadingLeavesNothingBesideTheDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.sql")
	sourcetest.WriteDatabase(t, path, open(t, recording(atx2), nil))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o400))
	s := open(t, path, &source.Manifest{Preset: "mainnet"})
	require.NotEmpty(t, rows(t, s.ATXs(t.Context())))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after))
}

func FuzzManifest(f *testing.F) {
	raw, err := os.ReadFile(filepath.Join(recording(atx2), "manifest.json"))
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte(`{"preset":"mainnet","overrides":{"tortoise":{"historicalwindowsize":[{"start":1}]},"main":{"atx-versions":{"1":2,"2":1}}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "manifest.json")
		require.NoError(t, os.WriteFile(path, raw, 0o600))
		m, err := source.ReadManifest(path)
		if err != nil {
			return
		}
		if p, err := m.Params(); err == nil {
			require.NotZero(t, p.LayersPerEpoch)
			require.Less(t, uint64(p.EligibilityConfidence), uint64(math.MaxUint32))
		}
	})
}
