package eligibility_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// walk is the definition of the count.
func walk(t require.TestingT, l eligibility.Lottery, f fixed.Num) uint16 {
	for x := range l.Trials {
		v, err := fixed.BinomialCDF(l.Trials, l.Chance, x)
		require.NoError(t, err)
		if v.Greater(f) {
			return uint16(x)
		}
	}
	return uint16(l.Trials)
}

func TestTableGivesTheWalksAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Uint64Range(1, 100_000).Draw(t, "total")
		weight := rapid.Uint64Range(0, total).Draw(t, "weight")
		l, err := eligibility.NewLottery(rapid.IntRange(1, 60).Draw(t, "committee"), weight, total)
		require.NoError(t, err)
		table, err := eligibility.NewTable(l)
		require.NoError(t, err)
		for range 8 {
			f := fixed.Raw(rapid.Int64Range(0, 1<<56-1).Draw(t, "fraction"))
			want := walk(t, l, f)
			got, err := table.Count(f)
			require.NoError(t, err)
			require.Equal(t, want, got)
			for _, claim := range []uint16{want, want + 1, want + 2, want - 1, 0, 65535} {
				valid, err := table.Valid(f, claim)
				require.NoError(t, err)
				below, _ := fixed.BinomialCDF(l.Trials, l.Chance, int64(claim)-1)
				upTo, _ := fixed.BinomialCDF(l.Trials, l.Chance, int64(claim))
				require.Equal(t, !below.Greater(f) && f.Less(upTo), valid)
			}
		}
	})
}

func TestTablesAreBounded(t *testing.T) {
	tables := eligibility.NewTables(200)
	for i := range uint64(1000) {
		l, err := eligibility.NewLottery(50, i+1, 10_000)
		require.NoError(t, err)
		got, err := tables.Count(l, fixed.Raw(1<<55))
		require.NoError(t, err)
		require.Equal(t, walk(t, l, fixed.Raw(1<<55)), got)
	}
	require.LessOrEqual(t, tables.Len(), 200/16)
}

func TestCacheIsDroppedOnlyByBecomingSynced(t *testing.T) {
	records := &eligibility.Records{
		LayersPerEpoch: 10,
		Fallbacks:      map[wire.EpochID][]wire.ATXID{4: {{1}}},
		ATXs:           map[wire.ATXID]eligibility.IndexedATX{{1}: {Node: wire.NodeID{1}, Weight: 7}},
	}
	o := eligibility.NewOracle(eligibility.Params{LayersPerEpoch: 10, EffectiveGenesis: 19}, records, anyProof)
	weight := func() uint64 {
		set, err := o.ActiveSet(4)
		require.NoError(t, err)
		return set.Total
	}
	o.SetSynced(true)
	require.EqualValues(t, 7, weight())
	records.ATXs[wire.ATXID{1}] = eligibility.IndexedATX{Node: wire.NodeID{1}, Weight: 9}
	o.SetSynced(true)
	require.EqualValues(t, 7, weight())
	o.SetSynced(false)
	require.EqualValues(t, 7, weight())
	o.SetSynced(true)
	require.EqualValues(t, 9, weight())
}

// brokenHistory fails where it should only have nothing.
type brokenHistory struct{ *eligibility.Records }

var errBroken = errors.New("disk on fire")

func (brokenHistory) FirstRewarded(wire.EpochID) ([]wire.ATXID, error) { return nil, errBroken }

func TestHistoryFailuresAbort(t *testing.T) {
	_, err := eligibility.BuildActiveSet(brokenHistory{&eligibility.Records{LayersPerEpoch: 10}}, 4)
	require.ErrorIs(t, err, errBroken)
}

// Upstream crashes on a rewarded ATX whose ballots all lack epoch data; here
// the first block then decides nothing.
func TestRewardedATXWithoutReferenceBallot(t *testing.T) {
	records := &eligibility.Records{
		LayersPerEpoch: 10,
		Blocks:         []eligibility.AppliedBlock{{Layer: 41, Rewarded: []wire.ATXID{{1}}}},
		Ballots:        []eligibility.BallotRecord{{Layer: 40, Node: wire.NodeID{1}, ATX: wire.ATXID{1}}},
		Beacons:        map[wire.EpochID]wire.Beacon{4: {1}},
	}
	_, err := eligibility.BuildActiveSet(records, 4)
	require.ErrorIs(t, err, eligibility.ErrEmptyActiveSet)
}

func TestUnverifiableProofWinsNothing(t *testing.T) {
	records := &eligibility.Records{
		LayersPerEpoch: 10,
		Fallbacks:      map[wire.EpochID][]wire.ATXID{4: {{1}}},
		Beacons:        map[wire.EpochID]wire.Beacon{4: {1}},
		ATXs:           map[wire.ATXID]eligibility.IndexedATX{{1}: {Node: wire.NodeID{1}, Weight: 7}},
	}
	refuse := func(wire.NodeID, []byte, wire.VrfSignature) bool { return false }
	o := eligibility.NewOracle(eligibility.Params{LayersPerEpoch: 10, EffectiveGenesis: 19}, records, refuse)
	seat := eligibility.Seat{Layer: 45, Committee: 5, Node: wire.NodeID{1}}
	count, err := o.Count(seat)
	require.NoError(t, err)
	require.Zero(t, count)
	valid, err := o.Validate(seat, 0)
	require.NoError(t, err)
	require.False(t, valid)
	seat.Node = wire.NodeID{2}
	_, err = o.Count(seat)
	require.ErrorIs(t, err, eligibility.ErrNotActive)
}

func FuzzClaim(f *testing.F) {
	f.Add(50, uint64(15204), uint64(12480008239), []byte("8 bytes.."), uint16(1))
	f.Add(1, uint64(1), uint64(1), []byte{0, 0, 0, 0, 0, 0, 0, 255}, uint16(65535))
	f.Fuzz(func(t *testing.T, committee int, weight, total uint64, proof []byte, claim uint16) {
		l, err := eligibility.NewLottery(committee, weight, total)
		if err != nil {
			return
		}
		table, err := eligibility.NewTable(l)
		if err != nil {
			return
		}
		var p wire.VrfSignature
		copy(p[:], proof)
		_, _ = table.Valid(eligibility.Fraction(p), claim)
	})
}

func mainnetLottery(b *testing.B) eligibility.Lottery {
	l, err := eligibility.NewLottery(50, 200_000, 10_000_000_000)
	require.NoError(b, err)
	return l
}

func BenchmarkCountCached(b *testing.B) {
	l, tables := mainnetLottery(b), eligibility.NewTables(1<<16)
	_, err := tables.Count(l, fixed.Raw(1<<56-1))
	require.NoError(b, err)
	f := fixed.Raw(1<<56 - 1<<40)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tables.Count(l, f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCountFirst(b *testing.B) {
	l := mainnetLottery(b)
	f := fixed.Raw(1<<56 - 1<<40)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := eligibility.NewTables(1<<16).Count(l, f); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidate is a claim with the proof taken as verified.
func BenchmarkValidate(b *testing.B) {
	oracle, node := twoIdentities(200_000, 10_000_000_000)
	seat := eligibility.Seat{Layer: 45, Round: 3, Committee: 50, Node: node}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := oracle.Validate(seat, 0); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}
