package guard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

var (
	schema = store.Schema{Name: "activation", Parts: []store.Part{lease.Part(), db.Part()}}
	prefix = []byte("network of the guard")
	ids    = []signing.Key{signing.NewKey([32]byte{1}), signing.NewKey([32]byte{2})}
)

// terms is a holder whose beliefs the test makes.
type terms struct {
	mu     sync.Mutex
	belief map[string]lease.Term
}

func (h *terms) Term(name string) (lease.Term, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.belief[name]
	return t, ok
}

func (h *terms) believe(id wire.NodeID, t lease.Term) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.belief == nil {
		h.belief = make(map[string]lease.Term)
	}
	h.belief[LeaseName(id)] = t
}

// acquire gives an identity to a holder under a new term.
func acquire(t require.TestingT, db *store.DB, h *terms, id wire.NodeID) lease.Term {
	var term int64
	require.NoError(t, db.QueryRow(context.Background(), `INSERT INTO lease AS l (name, term, holder, expires_at)
		VALUES ($1, 1, 'somebody', now()) ON CONFLICT (name) DO UPDATE SET term = l.term + 1 RETURNING term`,
		LeaseName(id)).Scan(&term))
	h.believe(id, lease.Term(term))
	return lease.Term(term)
}

func newGuard(t require.TestingT, db *store.DB, h *terms) *Guard {
	metrics, err := measure.New(nil)
	require.NoError(t, err)
	return New(db, h, prefix, ids, metrics)
}

func ballot(layer wire.LayerID, what byte) signing.Request {
	return signing.SignBallot{Meta: wire.BallotMetadata{Layer: layer, MsgHash: wire.Hash32{what}}}
}

func held(t testing.TB) (*store.DB, *terms, *Guard) {
	database := storetest.DB(t, schema)
	h := new(terms)
	for _, k := range ids {
		acquire(t, database, h, k.NodeID())
	}
	return database, h, newGuard(t, database, h)
}

func outcomes(vs []Verdict) (out []Outcome) {
	for _, v := range vs {
		out = append(out, v.Outcome)
	}
	return out
}

func TestTheFirstBytesOfASlotStay(t *testing.T) {
	t.Parallel()
	_, _, g := held(t)
	a, b := ids[0].NodeID(), ids[1].NodeID()
	items := []Item{
		{a, ballot(1, 1)}, {a, ballot(1, 2)}, {a, ballot(1, 1)}, {b, ballot(1, 2)}, {a, ballot(2, 2)},
		{a, signing.SignProposal{Meta: wire.BallotMetadata{Layer: 1, MsgHash: wire.Hash32{9}}}},
		{a, signing.SignPoet{Challenge: wire.Hash32{1}}}, {a, signing.SignPoet{Challenge: wire.Hash32{2}}},
	}
	want := []Outcome{Signed, Refused, Signed, Signed, Signed, Signed, Signed, Signed}
	for range 2 {
		vs, err := g.Sign(t.Context(), items)
		require.NoError(t, err)
		require.Equal(t, want, outcomes(vs))
		require.Equal(t, ReasonConflict, vs[1].Reason)
		require.Equal(t, vs[0].Signature, vs[2].Signature)
		v := signing.NewVerifier(prefix)
		meta := wire.BallotMetadata{Layer: 1, MsgHash: wire.Hash32{1}}
		require.True(t, v.Verify(signing.Ballot, a, bodyOf(&meta), vs[0].Signature))
		require.False(t, v.Verify(signing.Ballot, a, bodyOf(&meta), vs[3].Signature))
	}
	vs, err := g.Sign(t.Context(), []Item{{a, ballot(2, 1)}})
	require.NoError(t, err)
	require.Equal(t, Refused, vs[0].Outcome)
}

func TestOnlyTheHolderOfTheTermSigns(t *testing.T) {
	t.Parallel()
	database, old, g := held(t)
	id := ids[0].NodeID()
	next := new(terms)
	acquire(t, database, next, id)
	vs, err := g.Sign(t.Context(), []Item{{id, ballot(1, 1)}, {ids[1].NodeID(), ballot(1, 1)}, {wire.NodeID{7}, ballot(1, 1)}})
	require.NoError(t, err)
	require.Equal(t, []Outcome{NotOurs, Signed, NotOurs}, outcomes(vs))
	require.Equal(t, ReasonStaleTerm, vs[0].Reason)
	require.Equal(t, ReasonNoKey, vs[2].Reason)
	vs, err = newGuard(t, database, next).Sign(t.Context(), []Item{{id, ballot(1, 2)}, {ids[1].NodeID(), ballot(2, 1)}})
	require.NoError(t, err)
	require.Equal(t, []Outcome{Signed, NotOurs}, outcomes(vs))
	require.Equal(t, ReasonNoLease, vs[1].Reason)
	_ = old
}

// Who loses its trust window while the row is written does not give the
// signature away.
func TestTrustIsLookedAtBehindTheCommit(t *testing.T) {
	t.Parallel()
	_, h, g := held(t)
	id := ids[0].NodeID()
	g.step = func(s step) error {
		if s == afterCommit {
			h.mu.Lock()
			defer h.mu.Unlock()
			delete(h.belief, LeaseName(id))
		}
		return nil
	}
	vs, err := g.Sign(t.Context(), []Item{{id, ballot(1, 1)}})
	require.NoError(t, err)
	require.Equal(t, NotOurs, vs[0].Outcome)
	require.Zero(t, vs[0].Signature)
	_, ok := g.Prove(id, []byte("x"))
	require.False(t, ok)
}

func TestTheAuditKeepsEverySignatureAndRefusal(t *testing.T) {
	t.Parallel()
	database, _, g := held(t)
	id := ids[0].NodeID()
	_, err := g.Sign(t.Context(), []Item{{id, ballot(1, 1)}, {id, ballot(1, 2)}, {wire.NodeID{9}, ballot(1, 1)}})
	require.NoError(t, err)
	require.NoError(t, g.KeepLeases(t.Context(), database, []lease.Change{{Name: LeaseName(id), Term: 1, What: lease.Lost}}))
	rows, err := database.Query(t.Context(), "SELECT event || ' ' || detail FROM audit ORDER BY id")
	require.NoError(t, err)
	events, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"signed ", "refused " + ReasonConflict, "not_ours " + ReasonNoKey, "lease_lost " + LeaseName(id)}, events)
}

func TestQuarantineEndsWithTheLastSlotThatMayBeLost(t *testing.T) {
	t.Parallel()
	database, _, g := held(t)
	require.NoError(t, Quarantine(t.Context(), database, nil, LostUntil(41, 10), "restored"))
	a := ids[0].NodeID()
	items := []Item{
		{a, ballot(42, 1)}, {a, ballot(43, 1)},
		{a, signing.SignATXv1{ATX: atxOf(11)}}, {a, signing.SignATXv1{ATX: atxOf(12)}},
		{a, signing.SignMarriage{Publisher: a}}, {a, signing.SignPoet{}},
	}
	vs, err := g.Sign(t.Context(), items)
	require.NoError(t, err)
	require.Equal(t, []Outcome{Refused, Signed, Refused, Signed, Refused, Signed}, outcomes(vs))
	require.Equal(t, ReasonQuarantine, vs[0].Reason)

	require.NoError(t, Quarantine(t.Context(), database, &a, Through{signing.SlotBallot: 50}, "moved here"))
	require.NoError(t, Quarantine(t.Context(), database, &a, Through{signing.SlotBallot: 45}, "again"))
	vs, err = g.Sign(t.Context(), []Item{{a, ballot(50, 1)}, {a, ballot(51, 1)}, {ids[1].NodeID(), ballot(50, 1)}})
	require.NoError(t, err)
	require.Equal(t, []Outcome{Refused, Signed, Signed}, outcomes(vs))
}

func atxOf(publish wire.EpochID) *wire.ActivationTxV1 {
	a := new(wire.ActivationTxV1)
	a.PublishEpoch = publish
	return a
}

// Every kind of slot that is guarded is in the rule of what a backup loses.
func TestLostRowsCoverEveryKind(t *testing.T) {
	through := LostUntil(5, 1)
	for _, kind := range signing.Kinds() {
		rule, _ := signing.RuleOf(kind)
		_, ok := through[kind]
		require.Equal(t, rule.Guarded, ok, rule.Name)
	}
	require.EqualValues(t, uint32(math.MaxUint32), through[signing.SlotMarriage])
}

func TestSlotsAreNeverTakenBack(t *testing.T) {
	t.Parallel()
	database, _, g := held(t)
	_, err := g.Sign(t.Context(), []Item{{ids[0].NodeID(), ballot(1, 1)}})
	require.NoError(t, err)
	for _, sql := range []string{"DELETE FROM signed_slots", "UPDATE signed_slots SET hash = hash"} {
		_, err := database.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "never changed", sql)
	}
}

// Many owners of the same term, as in a process with many requests, ask for the
// same slots at once.
func TestRequestsInParallelGetOneAnswer(t *testing.T) {
	t.Parallel()
	_, _, g := held(t)
	const layers, askers = 40, 6
	var wg sync.WaitGroup
	var mu sync.Mutex
	signed := make(map[wire.LayerID]map[byte]bool)
	errs := make([]error, askers)
	for asker := range askers {
		wg.Go(func() {
			var items []Item
			for l := range layers {
				layer := wire.LayerID((l*7 + asker*13) % layers)
				items = append(items, Item{ids[0].NodeID(), ballot(layer, byte(asker))})
			}
			vs, err := g.Sign(t.Context(), items)
			errs[asker] = err
			mu.Lock()
			defer mu.Unlock()
			for i := range vs {
				if vs[i].Outcome == Signed {
					layer := items[i].Request.(signing.SignBallot).Meta.Layer
					if signed[layer] == nil {
						signed[layer] = make(map[byte]bool)
					}
					signed[layer][byte(asker)] = true
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Len(t, signed, layers)
	for layer, who := range signed {
		require.Len(t, who, 1, "layer %d", layer)
	}
}

func BenchmarkSign(b *testing.B) {
	for _, size := range []int{1, 64, 1024, 8192} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			server := storetest.Server(b, b.TempDir(), nil)
			url := server.URL(server.Database())
			require.NoError(b, store.Migrate(b.Context(), url, schema))
			database, h := storetest.Open(b, url, "activation"), new(terms)
			keys := make([]signing.Key, size)
			for i := range keys {
				keys[i] = signing.NewKey([32]byte{byte(i), byte(i >> 8), 1})
				acquire(b, database, h, keys[i].NodeID())
			}
			metrics, err := measure.New(nil)
			require.NoError(b, err)
			g := New(database, h, prefix, keys, metrics)
			layer, n, start := wire.LayerID(0), 0, time.Now()
			for b.Loop() {
				layer++
				items := make([]Item, size)
				for i := range items {
					items[i] = Item{keys[i].NodeID(), ballot(layer, 1)}
				}
				vs, err := g.Sign(b.Context(), items)
				require.NoError(b, err)
				require.Equal(b, Signed, vs[0].Outcome)
				n += size
			}
			b.ReportMetric(float64(n)/time.Since(start).Seconds(), "signatures/s")
		})
	}
}
