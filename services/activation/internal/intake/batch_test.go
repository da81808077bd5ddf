package intake

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// epochs makes the ATXs of several epochs and stores their PoET proofs.
func epochs(t testing.TB, database *store.DB, c *chain, n int) (items []Item) {
	for range n {
		p, more := c.next(t)
		require.NoError(t, db.StorePoets(t.Context(), database, []db.PoetProof{p}))
		items = append(items, more...)
	}
	return items
}

// A batch may hold ATXs and all that they build on, in any order.
func TestABatchHoldsItsDependencies(t *testing.T) {
	t.Parallel()
	database := storetest.DB(t, schema)
	c := newChain(7)
	items := epochs(t, database, c, 9)
	slices.Reverse(items)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(items)/2, func(i, j int) { items[i], items[j] = items[j], items[i] })
	in := c.intake(t, database, anything{})
	for range 2 { // a repeat changes nothing
		out, err := in.Handle(t.Context(), items, 10)
		require.NoError(t, err)
		for i := range out {
			require.Equal(t, atx.Accept, out[i].Verdict, "%v", out[i].Err)
		}
		require.Equal(t, []int64{int64(len(items))}, texts[int64](t, database, "SELECT count(*) FROM atxs"))
		require.Equal(t, []int64{int64(len(items))}, texts[int64](t, database, "SELECT max(seq) FROM atxs"))
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	database := storetest.DB(t, schema)
	c := newChain(2)
	items := epochs(t, database, c, 2)
	in := c.intake(t, database, anything{})
	out, err := in.Handle(t.Context(), items[2:3], 10)
	require.NoError(t, err)
	first, err := atx.Decode(items[0].Blob, nil)
	require.NoError(t, err)
	require.Equal(t, []wire.ATXID{first.ID}, out[0].Missing.ATXs)
	require.Equal(t, atx.Unknown, out[0].Verdict)
	out, err = in.Handle(t.Context(), items[:1], 10)
	require.NoError(t, err)
	require.Equal(t, atx.Accept, out[0].Verdict)
	out, err = in.Handle(t.Context(), items[2:3], 10)
	require.NoError(t, err)
	require.Equal(t, atx.Accept, out[0].Verdict)
}

// The same ATX twice in a batch gets one judgement.
func TestRepeatsInABatchShareTheOutcome(t *testing.T) {
	t.Parallel()
	database := storetest.DB(t, schema)
	c := newChain(1)
	items := epochs(t, database, c, 1)
	items[0].Source = atx.Source{}
	forged := items[0]
	forged.Blob = bytes.Clone(forged.Blob)
	forged.Blob[len(forged.Blob)-1] ^= 1
	in := c.intake(t, database, anything{})
	out, err := in.Handle(t.Context(), []Item{forged, items[0], items[0], forged, {Blob: []byte("no atx")}}, 10)
	require.NoError(t, err)
	var verdicts []atx.Verdict
	for i := range out {
		verdicts = append(verdicts, out[i].Verdict)
	}
	require.Equal(t, []atx.Verdict{atx.Reject, atx.Accept, atx.Accept, atx.Reject, atx.Reject}, verdicts)
}

// broken cannot verify anything.
type broken struct{}

var errBroken = errors.New("out of memory")

func (broken) Posts(checks []atx.PostCheck) ([]atx.PostFinding, []error) {
	errs := make([]error, len(checks))
	for i := range errs {
		errs[i] = errBroken
	}
	return make([]atx.PostFinding, len(checks)), errs
}

func (broken) Nonce(*post.NonceClaim) (bool, error) { return false, errBroken }

func TestAFailureOfOursIsNoVerdict(t *testing.T) {
	t.Parallel()
	database := storetest.DB(t, schema)
	c := newChain(3)
	items := epochs(t, database, c, 1)
	out, err := c.intake(t, database, broken{}).Handle(t.Context(), items, 10)
	require.NoError(t, err)
	for i := range out {
		require.Equal(t, atx.Unknown, out[i].Verdict)
		require.ErrorIs(t, out[i].Err, errBroken)
	}
	database.Close()
	_, err = c.intake(t, database, anything{}).Handle(t.Context(), items, 10)
	require.Error(t, err)
}

// moody finds a part of the proofs bad, always the same ones.
type moody struct{}

func (moody) Posts(checks []atx.PostCheck) ([]atx.PostFinding, []error) {
	found := make([]atx.PostFinding, len(checks))
	for i := range checks {
		switch postKey(&checks[i])[0] % 8 {
		case 0:
		case 1:
			found[i] = atx.PostFinding{BadIndex: true, Index: 3}
		default:
			found[i].Valid = true
		}
	}
	return found, make([]error, len(checks))
}

func (moody) Nonce(c *post.NonceClaim) (bool, error) { return nonceKey(c)[0]%8 != 0, nil }

// twist makes some ATXs collide: another coinbase for the same slot, or another
// epoch on the same previous ATX.
func (c *chain) twist(t testing.TB, item Item, epoch wire.EpochID) Item {
	m, err := atx.Decode(item.Blob, nil)
	require.NoError(t, err)
	a := m.V1
	c.twists++
	a.PublishEpoch, a.Coinbase[3] = epoch, c.twists
	for i := range c.keys {
		if c.keys[i].NodeID() == a.SmesherID {
			a.Signature, err = c.keys[i].Sign(c.prefix, signing.SignATXv1{ATX: a})
			require.NoError(t, err)
		}
	}
	item.Blob, item.Source = codec.MustEncode(a), atx.Source{}
	return item
}

type result struct {
	Verdict atx.Verdict
	Err     string
}

func results(out []atx.Outcome) (rs []result) {
	for i := range out {
		r := result{Verdict: out[i].Verdict}
		if out[i].Err != nil {
			r.Err = out[i].Err.Error()
		}
		rs = append(rs, r)
	}
	return rs
}

const contents = `SELECT (SELECT coalesce(string_agg(a::text, ',' ORDER BY seq), '') FROM atxs a) || (SELECT coalesce(string_agg(p::text, ',' ORDER BY seq, place), '')
	FROM posts p) || (SELECT coalesce(string_agg(m::text, ',' ORDER BY seq), '') FROM malicious m)`

// Whatever the cuts between batches, the verdicts and rows are those of ATXs that
// are judged one by one.
func TestBatchesJudgeLikeSingles(t *testing.T) {
	url := storetest.URL(t, schema)
	database, admin := storetest.Open(t, url, "activation"), storetest.Open(t, url, "")
	rapid.Check(t, func(rt *rapid.T) {
		c := newChain(4)
		empty := func() {
			_, err := admin.Exec(context.Background(), "SET search_path = activation; "+emptyTables)
			require.NoError(rt, err)
		}
		empty()
		items := epochs(t, database, c, 4)
		for range rapid.IntRange(0, 6).Draw(rt, "twists") {
			at := rapid.IntRange(0, len(items)-1).Draw(rt, "at")
			epoch := wire.EpochID(rapid.Uint32Range(1, 5).Draw(rt, "epoch"))
			items = slices.Insert(items, min(len(items), at+rapid.IntRange(0, 9).Draw(rt, "later")), c.twist(t, items[at], epoch))
		}
		var space Space = moody{}
		if rapid.Bool().Draw(rt, "honest proofs") {
			space = anything{}
		}
		cuts := rapid.SliceOfN(rapid.IntRange(1, 12), len(items), len(items)).Draw(rt, "cuts")
		poets := texts[[]byte](t, database, "SELECT ref FROM poet_proofs")
		require.Len(rt, poets, 4)

		single := c.intake(t, database, space)
		var want []atx.Outcome
		for i := range items {
			out, err := single.Handle(t.Context(), items[i:i+1], 10)
			require.NoError(rt, err)
			want = append(want, out...)
		}
		wantRows := texts[string](t, database, contents)
		_, err := admin.Exec(context.Background(), "SET search_path = activation; "+emptyATXs)
		require.NoError(rt, err)

		batch := c.intake(t, database, space)
		var got []atx.Outcome
		for from := 0; from < len(items); {
			to := min(len(items), from+cuts[from])
			out, err := batch.Handle(t.Context(), items[from:to], 10)
			require.NoError(rt, err)
			got = append(got, out...)
			from = to
		}
		if slices.ContainsFunc(want, func(o atx.Outcome) bool { return !o.Missing.Empty() }) {
			return // a dependency came later, and may have come in the same batch
		}
		require.Equal(rt, results(want), results(got))
		require.Equal(rt, wantRows, texts[string](t, database, contents))
	})
}

// Two processes store the same ATXs and their rivals at once: each is stored
// once, in a feed without gaps or repeats, and every collision is found.
func TestWritersInParallel(t *testing.T) {
	t.Parallel()
	database := storetest.DB(t, schema)
	c := newChain(16)
	items := epochs(t, database, c, 6)
	rivals := slices.Clone(items)
	for i := range rivals {
		if i%16 < 5 && i >= 80 { // in the last epoch, on which nothing builds
			rivals[i] = c.twist(t, items[i], 6)
		}
	}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for w := range errs {
		mine := items
		if w%2 == 1 {
			mine = rivals
		}
		wg.Go(func() {
			in := c.intake(t, database, anything{})
			for from := 0; from < len(mine); from += 16 {
				if _, err := in.Handle(t.Context(), mine[from:from+16], 10); err != nil {
					errs[w] = err
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	const all = 6*16 + 5
	require.Equal(t, []int64{all}, texts[int64](t, database, "SELECT count(*) FROM atxs"))
	require.Equal(t, []int64{all}, texts[int64](t, database, "SELECT max(seq) FROM atxs"))
	require.Equal(t, []int64{5}, texts[int64](t, database, "SELECT count(*) FROM malicious"))
}
