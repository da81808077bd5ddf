package main_test

import (
	"encoding/hex"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/replay"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source/sourcetest"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/wire"
)

// family is a recording to which three smeshers were added after its last layer:
// bride and groom marry, and the culprit signs two ballots in a layer.
type family struct {
	dir                   string
	bride, groom, culprit *smesher
	wedding               wire.ATXID
	proof                 []byte
	last                  wire.LayerID
	at                    time.Time
}

func newFamily(t *testing.T) *family {
	t.Helper()
	all := recordings(t)
	f := &family{dir: sourcetest.Copy(t, all[len(all)-1])}
	src, err := source.Open(t.Context(), f.dir, nil)
	require.NoError(t, err)
	defer src.Close()
	params := src.Params()
	for l, err := range src.Layers(t.Context()) {
		require.NoError(t, err)
		f.last = max(f.last, l.Layer)
	}
	for a, err := range src.ATXs(t.Context()) {
		require.NoError(t, err)
		f.at = a.Received
	}
	pow, err := randomx.New(randomx.Config{Key: []byte(post.PowKey), VMs: runtime.GOMAXPROCS(0)})
	require.NoError(t, err)
	defer pow.Close()
	f.bride, f.groom, f.culprit = newSmesher(t, params, pow, 1), newSmesher(t, params, pow, 2), newSmesher(t, params, pow, 3)
	r := newRound(t, params.Epoch(f.last), f.bride, f.groom, f.culprit)
	groom, culprit := f.groom.atx(r, nil), f.culprit.atx(r, nil)
	bride := f.bride.atx(r, map[*smesher]wire.ATXID{f.groom: groom.ID()})
	f.wedding, f.proof = bride.ID(), f.culprit.twoBallots(f.last)
	appendRow(t, f.dir, source.PoetProofs, r.row())
	// The wedding comes before the ATX by which it names the groom.
	appendRow(t, f.dir, source.ATXs, f.bride.row(bride, f.at.Add(time.Second)),
		f.groom.row(groom, f.at.Add(2*time.Second)), f.culprit.row(culprit, f.at.Add(3*time.Second)))
	replaceRows(t, f.dir, source.Identities, f.identity(f.culprit, f.proof))
	replaceRows(t, f.dir, source.Marriages, f.marriage(f.bride, f.wedding), f.marriage(f.groom, f.wedding))
	return f
}

// identity says that a smesher is malicious, with a proof or without.
func (f *family) identity(s *smesher, proof []byte) row {
	r := row{"node_id": s.id().String(), "received_ns": f.at.Add(time.Hour).UnixNano(), "proof": nil}
	if proof != nil {
		r["proof"] = hex.EncodeToString(proof)
	}
	return r
}

func (f *family) marriage(s *smesher, atx wire.ATXID) row {
	return row{"node_id": s.id().String(), "marriage_atx": atx.String()}
}

// named are the differences of a report as "object field: here, there".
func named(report *replay.Report) (out []string) {
	for _, d := range report.First {
		out = append(out, d.Object+" "+d.Field+": "+d.Here+", "+d.There)
	}
	return out
}

func TestMarriagesAndMaliciousIdentitiesAreCompared(t *testing.T) {
	f := newFamily(t)
	data := filepath.Join(t.TempDir(), "data")
	report, code := run(t, "--data-dir", data, f.dir)
	require.Empty(t, named(report))
	requireSame(t, f.dir, report, code)
	require.Equal(t, 1, tally(t, report, source.Identities).Judged)
	require.Equal(t, 1, tally(t, report, source.Identities).Compared)
	require.Equal(t, 2, tally(t, report, source.Marriages).Compared)

	// The same as a state.sql, over what is there already.
	src, err := source.Open(t.Context(), f.dir, nil)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "state.sql")
	sourcetest.WriteDatabase(t, path, src)
	require.NoError(t, src.Close())
	report, code = run(t, "--data-dir", data, "--config", filepath.Join(f.dir, "manifest.json"), path)
	require.Empty(t, named(report))
	require.Zero(t, code)
	require.Equal(t, 1, tally(t, report, source.Identities).Compared)
	require.Equal(t, 2, tally(t, report, source.Marriages).Compared)

	// A source that says otherwise: another is malicious, another is married, and
	// to another.
	other := wire.ATXID{7}
	replaceRows(t, f.dir, source.Identities, f.identity(f.bride, nil))
	replaceRows(t, f.dir, source.Marriages, f.marriage(f.bride, other), f.marriage(f.culprit, f.wedding))
	report, code = run(t, "--data-dir", data, f.dir)
	require.Equal(t, 1, code)
	require.ElementsMatch(t, []string{
		"identity " + f.bride.id().String() + " malicious: false, true",
		"identity " + f.culprit.id().String() + " malicious: true, false",
		"marriage of " + f.bride.id().String() + " marriage_atx: " + f.wedding.String() + ", " + other.String(),
		"marriage of " + f.culprit.id().String() + " stored: false, true",
		"marriage of " + f.groom.id().String() + " stored: true, false",
	}, named(report))

	// A proof that convicts nobody: the second signature is altered.
	forged := f.groom.twoBallots(f.last)
	forged[len(forged)-40] ^= 1
	replaceRows(t, f.dir, source.Identities, f.identity(f.culprit, f.proof), f.identity(f.groom, forged))
	replaceRows(t, f.dir, source.Marriages, f.marriage(f.bride, f.wedding), f.marriage(f.groom, f.wedding))
	report, code = run(t, "--data-dir", data, f.dir)
	require.Equal(t, 1, code)
	require.Equal(t, 2, report.Differences, named(report))
	require.Equal(t, 1, report.ByField["identities.verdict"])
	require.Equal(t, 1, report.ByField["identities.malicious"])
	for _, d := range report.First {
		require.Contains(t, d.Object, f.groom.id().String())
	}
}
