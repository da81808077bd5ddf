package atx

import (
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/atxtest"
	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

func rowOf(s *atxtest.Stored) Row {
	return Row{
		ID: wire.ATXID(s.ID), PublishEpoch: s.Publish, NodeID: wire.NodeID(s.Smesher),
		EffectiveUnits: s.Units + s.NumUnits, Commitment: atxtest.ID(s.Commitment),
		VRFNonce: uint64(s.Nonce), Coinbase: wire.Address(s.Coinbase),
		BaseHeight: uint64(s.Base), Ticks: uint64(s.Ticks), Weight: uint64(s.Weight),
		Sequence: uint64(s.Sequence), MarriageATX: atxtest.ID(s.Marriage), Validity: Validity(s.Validity),
	}
}

func marriageRows(s *memState) (rows []atxtest.Marriage) {
	for _, m := range s.marriages {
		rows = append(rows, atxtest.Marriage{
			ATX: m.ATX.String(), Index: m.Index, ID: uint64(m.ID), Node: m.NodeID.String(), Target: m.Target.String(),
		})
	}
	return rows
}

type handlerCase struct{ atxtest.Handled }

// world is a node with the state a vector describes.
type world struct {
	*Rules
	state  *memState
	proofs *scriptedProofs
}

// setupTickSize is the tick size that the case's setup was stored under. Cases
// about the largest weights change it to 1 for the input alone and do not tell
// the one before; it is the one that gives the expected base height.
func (c *handlerCase) setupTickSize(t testing.TB) uint64 {
	if c.TickSize != 1 || c.Expected.Stored == nil {
		return uint64(c.TickSize)
	}
	input, err := Decode(c.Input, atxtest.Versions(t, c.Versions))
	require.NoError(t, err)
	positioning := input.Dependencies(wire.ATXID{}).ATXs[0]
	if input.V1 != nil {
		positioning = input.V1.PositioningATXID
	}
	for size := range uint64(1000) {
		w := c.worldAt(t, size+1)
		if height, err := w.baseHeight(w.state, positioning, input.PublishEpoch()); err == nil &&
			height == uint64(c.Expected.Stored.Base) {
			return size + 1
		}
	}
	t.Fatal("no tick size gives the base height")
	return 0
}

func (c *handlerCase) world(t testing.TB) *world {
	w := c.worldAt(t, c.setupTickSize(t))
	w.Params.TickSize = uint64(c.TickSize)
	return w
}

func (c *handlerCase) worldAt(t testing.TB, tickSize uint64) *world {
	w := &world{
		Rules: &Rules{
			Verifier: signing.NewVerifier(c.Prefix),
			Params: Params{
				Golden: wire.ATXID(c.Golden), LayersPerEpoch: 10, TickSize: tickSize,
				LabelsPerUnit: uint64(c.Post.LabelsPerUnit), MinNumUnits: c.Post.Min,
				MaxNumUnits: c.Post.Max, Versions: atxtest.Versions(t, c.Versions),
			},
		},
		state: newMemState(), proofs: new(scriptedProofs),
	}
	for _, p := range c.Poets {
		w.state.poets[wire.PoetProofRef(p.Ref)] = PoetProof{uint64(p.Leaves), p.Statement.Array32()}
	}
	for _, id := range c.Own {
		w.state.own = append(w.state.own, wire.NodeID(id))
	}
	for _, s := range c.Setup {
		switch s.Kind {
		case "atx":
			w.storeBySync(t, s.Encoded, c.Current)
		case "checkpoint_atx":
			w.state.restore(t, &s.Stored)
		case "malicious":
			w.state.proofs[wire.NodeID(s.Node)] = s.Proof
		case "malicious_v2":
			w.state.maliciousV2 = append(w.state.maliciousV2, wire.NodeID(s.Node))
		default:
			t.Fatal(s.Kind)
		}
	}
	w.proofs = new(scriptedProofs)
	return w
}

func (w *world) storeBySync(t testing.TB, blob []byte, current wire.EpochID) *Message {
	m, err := Decode(blob, w.Params.Versions)
	require.NoError(t, err)
	out := w.Process(m, Source{Sync: true, Want: wire.Hash32(m.ID)}, current, w.state, w.proofs)
	require.NoError(t, out.Err)
	require.Equal(t, Accept, out.Verdict)
	w.state.apply(out.Effects)
	return m
}

func (s *memState) restore(t testing.TB, a *atxtest.Stored) {
	row := rowOf(a)
	s.rows = append(s.rows, row)
	for id, units := range a.Shares {
		node, err := hex.DecodeString(id)
		require.NoError(t, err)
		s.posts = append(s.posts, memPost{row.ID, row.PublishEpoch, Post{NodeID: wire.NodeID(node), Units: units}})
	}
}

// judge takes the input from its bytes to an outcome, as a service does.
func (w *world) judge(c *handlerCase) (*Message, Outcome) {
	m, err := Decode(c.Input, w.Params.Versions)
	if err != nil {
		return nil, JudgeUndecodable(err)
	}
	src := Source{Sync: c.Via == "sync", Self: c.FromSelf}
	if src.Sync {
		src.Want = c.Want.Array32()
	}
	out := w.Process(m, src, c.Current, w.state, w.proofs)
	if !out.Missing.Empty() {
		out = Unavailable(out.Missing, false)
	}
	return m, out
}

// errorClass is the vectors' name of an outcome's reason.
func errorClass(out Outcome) string {
	sentinels := []struct {
		err  error
		name string
	}{
		{ErrKnown, "known"},
		{ErrMalicious, "malicious_atx"},
		{ErrOwnDoublePublish, "own_double_publish"},
		{ErrOwnWrongPrevious, "own_wrong_previous"},
		{ErrNoEvidence, "checkpoint_conflict"},
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
	return string(RuleOf(out.Err))
}

func TestVectorHandlers(t *testing.T) {
	for _, file := range []string{"activation/atx_handler_v1", "activation/atx_handler_v2"} {
		vectors.Run(t, file, checkHandler)
	}
}

func checkHandler(t *testing.T, c handlerCase) {
	w := c.world(t)
	before := len(w.state.rows)
	m, out := w.judge(&c)
	want := c.Expected
	wantError := ""
	if want.Error != nil {
		wantError = *want.Error
	}
	require.Equal(t, wantError, errorClass(out), "%v", out.Err)
	require.Equal(t, want.Result, out.Verdict.String())
	w.checkAsked(t, &c)
	w.state.apply(out.Effects)
	w.checkStored(t, &c, m, before)

	var gossip []vectors.Hex
	if out.Effects != nil && out.Effects.Proof != nil && out.Effects.Proof.Gossip != nil {
		gossip = append(gossip, out.Effects.Proof.Gossip)
	}
	require.Equal(t, want.Gossiped, gossip)
	var malicious []string
	for id, proof := range w.state.proofs {
		malicious = append(malicious, id.String()+":"+hex.EncodeToString(proof))
	}
	require.ElementsMatch(t, want.Malicious, malicious)
	require.Equal(t, want.Marriages, marriageRows(w.state))
	var second []string
	for _, id := range w.state.maliciousV2 {
		second = append(second, id.String())
	}
	require.ElementsMatch(t, want.MaliciousV2, second)
}

func (w *world) checkAsked(t *testing.T, c *handlerCase) {
	require.Len(t, w.proofs.nonces, len(c.Expected.VRF))
	for i, want := range c.Expected.VRF {
		got := w.proofs.nonces[i]
		require.Equal(t, wire.NodeID(want.Node), got.NodeID)
		require.Equal(t, wire.ATXID(want.Commitment), got.CommitmentATX)
		require.Equal(t, uint64(want.Nonce), got.Nonce)
		require.Equal(t, want.Units, got.NumUnits)
	}
	require.Len(t, w.proofs.posts, len(c.Expected.Posts))
	for i, want := range c.Expected.Posts {
		got := w.proofs.posts[i]
		require.Equal(t, wire.NodeID(want.Node), got.Statement.NodeID)
		require.Equal(t, wire.ATXID(want.Commitment), got.Statement.CommitmentATX)
		require.Equal(t, wire.Hash32(want.Challenge), got.Statement.Challenge)
		require.Equal(t, want.Units, got.Statement.NumUnits)
		require.Equal(t, want.Nonce, got.Post.Nonce)
		require.Equal(t, wire.Hash32(want.Challenge) == wire.Hash32{}, got.All)
	}
}

func (w *world) checkStored(t *testing.T, c *handlerCase, m *Message, before int) {
	want := c.Expected.Stored
	if want == nil {
		require.Len(t, w.state.rows, before)
		require.Nil(t, c.Expected.Cache)
		return
	}
	require.Len(t, w.state.rows, before+1)
	got := w.state.rows[before]
	require.Equal(t, rowOf(want), got)
	posts := map[string]uint32{}
	for _, p := range w.state.posts {
		if p.atx == m.ID {
			posts[p.NodeID.String()] = p.Units
		}
	}
	require.Equal(t, want.Posts, posts)
	require.Equal(t, []byte(c.Input), w.state.blobs[m.ID])

	malicious, _ := w.state.Malicious(got.NodeID)
	suspect := slices.Contains(w.state.cacheSuspects, got.NodeID)
	require.Equal(t, *c.Expected.Cache, atxtest.CacheEntry{
		Target: got.TargetEpoch(), Node: got.NodeID[:], Coinbase: got.Coinbase[:],
		Weight: vectors.Uint64(got.Weight), BaseHeight: vectors.Uint64(got.BaseHeight),
		Height: vectors.Uint64(got.Height()), Nonce: vectors.Uint64(got.VRFNonce),
		Malicious: malicious || suspect,
	})
}
