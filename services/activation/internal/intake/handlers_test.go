package intake

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/atxtest"
	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

var schema = store.Schema{Name: "activation", Parts: []store.Part{outbox.Part(), db.Part()}}

func rowOf(s *atxtest.Stored) atx.Row {
	return atx.Row{
		ID: wire.ATXID(s.ID), PublishEpoch: s.Publish, NodeID: wire.NodeID(s.Smesher),
		EffectiveUnits: s.Units + s.NumUnits, Commitment: atxtest.ID(s.Commitment),
		VRFNonce: uint64(s.Nonce), Coinbase: wire.Address(s.Coinbase),
		BaseHeight: uint64(s.Base), Ticks: uint64(s.Ticks), Weight: uint64(s.Weight),
		Sequence: uint64(s.Sequence), MarriageATX: atxtest.ID(s.Marriage), Validity: atx.Validity(s.Validity),
	}
}

type handlerCase struct{ atxtest.Handled }

// scripted finds invalid what the vectors say is invalid.
type scripted struct{}

func (scripted) Posts(checks []atx.PostCheck) ([]atx.PostFinding, []error) {
	found := make([]atx.PostFinding, len(checks))
	for i := range checks {
		switch checks[i].Post.Nonce {
		case 4040404:
		case 5050505:
			found[i] = atx.PostFinding{BadIndex: true, Index: 7}
		default:
			found[i].Valid = true
		}
	}
	return found, make([]error, len(checks))
}

func (scripted) Nonce(c *post.NonceClaim) (bool, error) { return c.Nonce != 6060606, nil }

// world is a node over Postgres with the state that a vector describes.
type world struct {
	*Intake
	db *store.DB
	at time.Time
}

const (
	emptyATXs   = `DELETE FROM atxs; DELETE FROM posts; DELETE FROM malicious; DELETE FROM outbox; `
	emptyTables = emptyATXs + `DELETE FROM poet_proofs; DELETE FROM marriages; DELETE FROM malfeasance_v2`
)

func (c *handlerCase) intake(t testing.TB, database *store.DB, tickSize uint64) *Intake {
	metrics, err := measure.New(nil)
	require.NoError(t, err)
	return New(database, Config{
		Rules: &atx.Rules{
			Verifier: signing.NewVerifier(c.Prefix),
			Params: atx.Params{
				Golden: wire.ATXID(c.Golden), LayersPerEpoch: 10, TickSize: tickSize,
				LabelsPerUnit: uint64(c.Post.LabelsPerUnit), MinNumUnits: c.Post.Min,
				MaxNumUnits: c.Post.Max, Versions: atxtest.Versions(t, c.Versions),
			},
		},
		Space: scripted{}, Metrics: metrics,
		Own: func(id wire.NodeID) bool {
			return slices.ContainsFunc(c.Own, func(h vectors.Hex) bool { return wire.NodeID(h) == id })
		},
	})
}

func (c *handlerCase) world(t testing.TB, database, admin *store.DB) *world {
	ctx := t.Context()
	_, err := admin.Exec(ctx, "SET search_path = activation; "+emptyTables)
	require.NoError(t, err)
	w := &world{db: database, at: time.Unix(1_700_000_000, 12345)}
	w.Intake = c.intake(t, database, c.setupTickSize(t))
	var poets []db.PoetProof
	for _, p := range c.Poets {
		poets = append(poets, db.PoetProof{
			Ref: wire.PoetProofRef(p.Ref), Leaves: uint64(p.Leaves), Statement: wire.Hash32(p.Statement.Array32()), Bytes: []byte{1},
		})
	}
	require.NoError(t, db.StorePoets(ctx, database, poets))
	for i := range c.Setup {
		s := &c.Setup[i]
		switch s.Kind {
		case "atx":
			out := w.sync(t, s.Encoded, c.Current)
			require.NoError(t, out.Err)
			require.Equal(t, atx.Accept, out.Verdict)
		case "checkpoint_atx":
			w.write(t, &db.Changes{ATXs: []db.ATX{checkpoint(t, &s.Stored)}})
		case "malicious":
			w.write(t, &db.Changes{Malicious: []db.Malicious{{Node: wire.NodeID(s.Node), Received: 1, Proof: s.Proof}}})
		case "malicious_v2":
			w.write(t, &db.Changes{Suspects: []db.Suspect{{Nodes: []wire.NodeID{wire.NodeID(s.Node)}, Set: 1 << 40, ATX: wire.ATXID{1}}}})
		default:
			t.Fatal(s.Kind)
		}
	}
	w.Intake = c.intake(t, database, uint64(c.TickSize))
	return w
}

func checkpoint(t testing.TB, s *atxtest.Stored) db.ATX {
	row := rowOf(s)
	out := db.ATX{Row: &row}
	for id, units := range s.Shares {
		node, err := hex.DecodeString(id)
		require.NoError(t, err)
		out.Posts = append(out.Posts, atx.Post{NodeID: wire.NodeID(node), Units: units})
	}
	return out
}

func (w *world) write(t testing.TB, changes *db.Changes) {
	require.NoError(t, store.InTx(t.Context(), w.db, func(tx pgx.Tx) error {
		heads, err := db.LockTx(t.Context(), tx)
		if err != nil {
			return err
		}
		for i := range changes.ATXs {
			changes.ATXs[i].Seq = heads.ATXs + 1 + int64(i)
		}
		_, err = db.WriteTx(t.Context(), tx, changes)
		return err
	}))
}

func (w *world) sync(t testing.TB, blob []byte, current wire.EpochID) atx.Outcome {
	m, err := atx.Decode(blob, w.rules.Params.Versions)
	require.NoError(t, err)
	out, err := w.Handle(t.Context(), []Item{{
		Blob: blob, Source: atx.Source{Sync: true, Want: wire.Hash32(m.ID)}, Received: w.at,
	}}, current)
	require.NoError(t, err)
	return out[0]
}

// setupTickSize is the tick size that the case's setup was stored under. Cases
// about the largest weights change it to 1 for the input alone and do not tell
// the one before; it is one that gives the expected base height.
func (c *handlerCase) setupTickSize(t testing.TB) uint64 {
	if c.TickSize != 1 || c.Expected.Stored == nil {
		return uint64(c.TickSize)
	}
	versions := atxtest.Versions(t, c.Versions)
	leaves, positioning := map[wire.PoetProofRef]uint64{}, map[wire.ATXID]*atx.Message{}
	for _, p := range c.Poets {
		leaves[wire.PoetProofRef(p.Ref)] = uint64(p.Leaves)
	}
	for _, s := range c.Setup {
		if m, err := atx.Decode(s.Encoded, versions); err == nil {
			positioning[m.ID] = m
		}
	}
	input, err := atx.Decode(c.Input, versions)
	require.NoError(t, err)
	for size := range uint64(1000) {
		height := uint64(0)
		for m := positioning[positioningOf(input)]; m != nil; m = positioning[positioningOf(m)] {
			height += leaves[m.Dependencies(wire.ATXID(c.Golden)).Poets[0]] / (size + 1)
		}
		if height == uint64(c.Expected.Stored.Base) {
			return size + 1
		}
	}
	t.Fatal("no tick size gives the base height")
	return 0
}

func positioningOf(m *atx.Message) wire.ATXID {
	if m.V1 != nil {
		return m.V1.PositioningATXID
	}
	return m.V2.PositioningATX
}

// judge takes the input from its bytes to an outcome, as the service does.
func (w *world) judge(t testing.TB, c *handlerCase) atx.Outcome {
	src := atx.Source{Sync: c.Via == "sync", Self: c.FromSelf}
	if src.Sync {
		src.Want = wire.Hash32(c.Want.Array32())
	}
	out, err := w.Handle(t.Context(), []Item{{Blob: c.Input, Source: src, Received: w.at}}, c.Current)
	require.NoError(t, err)
	if !out[0].Missing.Empty() {
		return atx.Unavailable(out[0].Missing, false)
	}
	return out[0]
}

func errorClass(out atx.Outcome) string {
	sentinels := []struct {
		err  error
		name string
	}{
		{atx.ErrKnown, "known"},
		{atx.ErrMalicious, "malicious_atx"},
		{atx.ErrOwnDoublePublish, "own_double_publish"},
		{atx.ErrOwnWrongPrevious, "own_wrong_previous"},
		{atx.ErrNoEvidence, "checkpoint_conflict"},
	}
	for _, s := range sentinels {
		if errors.Is(out.Err, s.err) {
			return s.name
		}
	}
	switch {
	case len(out.Missing.Poets) > 0:
		return "poet_proof_unavailable"
	case len(out.Missing.ATXs) > 0:
		return "dependency_unavailable"
	}
	return string(atx.RuleOf(out.Err))
}

// The vectors of the handlers, with every row in Postgres.
func TestHandlersOverPostgres(t *testing.T) {
	url := storetest.URL(t, schema)
	database, admin := storetest.Open(t, url, "activation"), storetest.Open(t, url, "")
	for _, file := range []string{"activation/atx_handler_v1", "activation/atx_handler_v2"} {
		vectors.Run(t, file, func(t *testing.T, c handlerCase) { c.check(t, c.world(t, database, admin)) })
	}
}

func (c *handlerCase) check(t *testing.T, w *world) {
	before := w.count(t)
	out := w.judge(t, c)
	want := c.Expected
	wantError := ""
	if want.Error != nil {
		wantError = *want.Error
	}
	require.Equal(t, wantError, errorClass(out), "%v", out.Err)
	require.Equal(t, want.Result, out.Verdict.String())
	c.checkStored(t, w, before)

	var gossip []vectors.Hex
	for _, body := range texts[[]byte](t, w.db, "SELECT body FROM outbox WHERE subject LIKE 'gossip.%' ORDER BY id") {
		gossip = append(gossip, body)
	}
	require.Equal(t, want.Gossiped, gossip)
	require.ElementsMatch(t, want.Malicious,
		texts[string](t, w.db, "SELECT encode(node_id, 'hex') || ':' || encode(proof, 'hex') FROM malicious"))
	var marriages []string
	for _, m := range want.Marriages {
		marriages = append(marriages, m.ATX+" "+strconv.Itoa(m.Index)+" "+strconv.FormatUint(m.ID, 10)+" "+m.Node+" "+m.Target)
	}
	require.Equal(t, marriages, texts[string](t, w.db, `SELECT encode(atx, 'hex') || ' ' || place || ' ' || marriage_id ||
		' ' || encode(node_id, 'hex') || ' ' || encode(target, 'hex') FROM marriages ORDER BY seq`))
	require.ElementsMatch(t, want.MaliciousV2,
		texts[string](t, w.db, "SELECT encode(node_id, 'hex') FROM malfeasance_v2 WHERE marriage_id IS NOT NULL"))
}

func (c *handlerCase) checkStored(t *testing.T, w *world, before int64) {
	want := c.Expected.Stored
	if want == nil {
		require.Equal(t, before, w.count(t))
		return
	}
	require.Equal(t, before+1, w.count(t))
	var got *atx.Row
	var blob []byte
	posts := map[string]uint32{}
	id := wire.ATXID(want.ID)
	l := db.NewLoader()
	l.ATXs([]wire.ATXID{id}, func(r *atx.Row) { got = r })
	l.Blobs([]wire.ATXID{id}, func(_ wire.ATXID, b []byte) { blob = b })
	l.Posts([]wire.ATXID{id}, func(_ wire.ATXID, p atx.Post) { posts[p.NodeID.String()] = p.Units })
	heads, err := l.Run(t.Context(), w.db)
	require.NoError(t, err)
	require.Equal(t, before+1, heads.ATXs)
	wantRow := rowOf(want)
	wantRow.Received = w.at.UnixNano()
	require.Equal(t, wantRow, *got)
	require.Equal(t, want.Posts, posts)
	require.Equal(t, []byte(c.Input), blob)
}

func (w *world) count(t testing.TB) int64 {
	return texts[int64](t, w.db, "SELECT count(*) FROM atxs")[0]
}

func texts[T any](t testing.TB, database *store.DB, sql string) []T {
	t.Helper()
	rows, err := database.Query(context.Background(), sql)
	require.NoError(t, err)
	out, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err)
	if len(out) == 0 {
		return nil
	}
	return out
}
