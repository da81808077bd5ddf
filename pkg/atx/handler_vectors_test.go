package atx

import (
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

type storedAtx struct {
	ID         vectors.Hex       `json:"id"`
	Publish    wire.EpochID      `json:"publish_epoch"`
	Smesher    vectors.Hex       `json:"smesher_id"`
	Units      uint32            `json:"effective_num_units"`
	NumUnits   uint32            `json:"num_units"` // of a checkpoint
	Commitment *vectors.Hex      `json:"commitment_atx"`
	Nonce      vectors.Uint64    `json:"vrf_nonce"`
	Coinbase   vectors.Hex       `json:"coinbase"`
	Base       vectors.Uint64    `json:"base_tick_height"`
	Ticks      vectors.Uint64    `json:"tick_count"`
	Weight     vectors.Uint64    `json:"weight"`
	Sequence   vectors.Uint64    `json:"sequence"`
	Marriage   *vectors.Hex      `json:"marriage_atx"`
	Validity   Validity          `json:"validity"`
	Posts      map[string]uint32 `json:"posts"`
	Shares     map[string]uint32 `json:"units"` // of a checkpoint
}

func optionalATX(h *vectors.Hex) *wire.ATXID {
	if h == nil || *h == nil {
		return nil
	}
	id := wire.ATXID(*h)
	return &id
}

func (s *storedAtx) row() Row {
	return Row{
		ID: wire.ATXID(s.ID), PublishEpoch: s.Publish, NodeID: wire.NodeID(s.Smesher),
		EffectiveUnits: s.Units + s.NumUnits, Commitment: optionalATX(s.Commitment),
		VRFNonce: uint64(s.Nonce), Coinbase: wire.Address(s.Coinbase),
		BaseHeight: uint64(s.Base), Ticks: uint64(s.Ticks), Weight: uint64(s.Weight),
		Sequence: uint64(s.Sequence), MarriageATX: optionalATX(s.Marriage), Validity: s.Validity,
	}
}

type marriageRow struct {
	ATX    string     `json:"atx"`
	Index  int        `json:"index"`
	ID     MarriageID `json:"marriage_id"`
	Node   string     `json:"node"`
	Target string     `json:"target"`
}

func marriageRows(s *memState) (rows []marriageRow) {
	for _, m := range s.marriages {
		rows = append(rows, marriageRow{m.ATX.String(), m.Index, m.ID, m.NodeID.String(), m.Target.String()})
	}
	return rows
}

type handlerCase struct {
	Golden    vectors.Hex      `json:"golden_atx"`
	Prefix    vectors.Hex      `json:"prefix"`
	TickSize  vectors.Uint64   `json:"tick_size"`
	Current   wire.EpochID     `json:"current_epoch"`
	Versions  map[string]uint8 `json:"atx_versions"`
	Own       []vectors.Hex    `json:"own_identities"`
	Input     vectors.Hex      `json:"input"`
	Via       string           `json:"via"`
	FromSelf  bool             `json:"from_self"`
	Want      vectors.Hex      `json:"expected_hash"`
	PostConst struct {
		LabelsPerUnit vectors.Uint64 `json:"labels_per_unit"`
		Min           uint32         `json:"min_num_units"`
		Max           uint32         `json:"max_num_units"`
	} `json:"post_config"`
	Poets []struct {
		Ref       vectors.Hex    `json:"ref"`
		Leaves    vectors.Uint64 `json:"leaf_count"`
		Statement vectors.Hex    `json:"statement"`
	} `json:"poet_proofs"`
	Setup []struct {
		Kind    string      `json:"kind"`
		Encoded vectors.Hex `json:"encoded"`
		Node    vectors.Hex `json:"node"`
		Proof   vectors.Hex `json:"proof"`
		storedAtx
	} `json:"setup"`
	Expected struct {
		Result    string        `json:"result"`
		Error     *string       `json:"error"`
		Stored    *storedAtx    `json:"stored"`
		Cache     *cacheEntry   `json:"cache"`
		Gossiped  []vectors.Hex `json:"gossiped_malfeasance"`
		Malicious []string      `json:"malicious_identities"`
		VRF       []struct {
			Node       vectors.Hex    `json:"node_id"`
			Commitment vectors.Hex    `json:"commitment_atx"`
			Nonce      vectors.Uint64 `json:"nonce"`
			Units      uint32         `json:"num_units"`
		} `json:"vrf_checks"`
		Posts []struct {
			Node       vectors.Hex `json:"node_id"`
			Commitment vectors.Hex `json:"commitment_atx"`
			Challenge  vectors.Hex `json:"challenge"`
			Nonce      uint32      `json:"post_nonce"`
			Units      uint32      `json:"num_units"`
		} `json:"post_checks"`
		Marriages   []marriageRow `json:"marriages"`
		MaliciousV2 []string      `json:"malicious_v2"`
	} `json:"expected"`
}

type cacheEntry struct {
	Target     wire.EpochID   `json:"target_epoch"`
	Node       vectors.Hex    `json:"node"`
	Coinbase   vectors.Hex    `json:"coinbase"`
	Weight     vectors.Uint64 `json:"weight"`
	BaseHeight vectors.Uint64 `json:"base_height"`
	Height     vectors.Uint64 `json:"height"`
	Nonce      vectors.Uint64 `json:"nonce"`
	Malicious  bool           `json:"malicious"`
}

func parseVersions(t testing.TB, table map[string]uint8) Versions {
	var v Versions
	for epoch, version := range table {
		e, err := strconv.ParseUint(epoch, 10, 32)
		require.NoError(t, err)
		v = append(v, network.ATXVersion{Epoch: wire.EpochID(e), Version: version})
	}
	slices.SortFunc(v, func(a, b network.ATXVersion) int { return cmp.Compare(a.Epoch, b.Epoch) })
	return v
}

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
	input, err := Decode(c.Input, parseVersions(t, c.Versions))
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
				LabelsPerUnit: uint64(c.PostConst.LabelsPerUnit), MinNumUnits: c.PostConst.Min,
				MaxNumUnits: c.PostConst.Max, Versions: parseVersions(t, c.Versions),
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
			w.state.restore(t, &s.storedAtx)
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

func (s *memState) restore(t testing.TB, a *storedAtx) {
	row := a.row()
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
	require.Equal(t, want.row(), got)
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
	require.Equal(t, *c.Expected.Cache, cacheEntry{
		Target: got.TargetEpoch(), Node: got.NodeID[:], Coinbase: got.Coinbase[:],
		Weight: vectors.Uint64(got.Weight), BaseHeight: vectors.Uint64(got.BaseHeight),
		Height: vectors.Uint64(got.Height()), Nonce: vectors.Uint64(got.VRFNonce),
		Malicious: malicious || suspect,
	})
}
