package atx

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/merkle"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

var (
	alice = signing.NewKey([32]byte{1})
	bob   = signing.NewKey([32]byte{2})
	gold  = wire.ATXID{0xff}
)

func hostileWorld(version uint8) *world {
	return &world{
		Rules: &Rules{Params: Params{
			Golden: gold, LayersPerEpoch: 10, TickSize: 1, LabelsPerUnit: 1,
			MinNumUnits: 1, MaxNumUnits: 1 << 31, Versions: Versions{{Version: version}},
		}},
		state: newMemState(), proofs: new(scriptedProofs),
	}
}

func initialV1(change func(*wire.ActivationTxV1)) *wire.ActivationTxV1 {
	id, nonce, commitment := alice.NodeID(), uint64(1), gold
	a := &wire.ActivationTxV1{SmesherID: id}
	a.PublishEpoch, a.PositioningATXID, a.CommitmentATXID = 5, gold, &commitment
	a.InitialPost, a.NodeID, a.VRFNonce, a.NumUnits = &wire.PostV1{}, &id, &nonce, 100
	a.NIPost = &wire.NIPostV1{
		Post:         &wire.PostV1{},
		PostMetadata: &wire.PostMetadataV1{Challenge: make([]byte, 32), LabelsPerUnit: 1},
	}
	change(a)
	return a
}

func signV1(a *wire.ActivationTxV1) []byte {
	sig, err := alice.Sign(nil, signing.SignATXv1{ATX: a})
	if err != nil {
		panic(err)
	}
	a.Signature = sig
	return codec.MustEncode(a)
}

func signV2(key signing.Key, a *wire.ActivationTxV2) []byte {
	a.SmesherID = key.NodeID()
	sig, err := key.Sign(nil, signing.SignATXv2{ATX: a})
	if err != nil {
		panic(err)
	}
	a.Signature = sig
	return codec.MustEncode(a)
}

func (w *world) gossip(t *testing.T, blob []byte) Outcome {
	m, err := Decode(blob, w.Params.Versions)
	require.NoError(t, err)
	return w.Process(m, Source{}, 5, w.state, w.proofs)
}

// Spec 04 §22.6: sizes for which no threshold exists are refused before anybody
// divides by them.
func TestSizesWithoutThresholdReject(t *testing.T) {
	for _, units := range []uint32{0, 1, 8} {
		w := hostileWorld(Version1)
		out := w.gossip(t, signV1(initialV1(func(a *wire.ActivationTxV1) { a.NumUnits = units })))
		require.Equal(t, RuleVRFNonce, RuleOf(out.Err), "v1 with %d units", units)
		require.Equal(t, Reject, out.Verdict)
		require.Empty(t, w.proofs.nonces)

		w = hostileWorld(Version2)
		out = w.gossip(t, signV2(alice, &wire.ActivationTxV2{
			PublishEpoch: 5, PositioningATX: gold, Initial: &wire.InitialAtxPartsV2{CommitmentATX: gold},
			NiPosts: []wire.NiPostsV2{{Posts: []wire.SubPostV2{{NumUnits: units}}}},
		}))
		require.Equal(t, RuleVRFNonce, RuleOf(out.Err), "v2 with %d units", units)
		require.Empty(t, w.proofs.nonces)
	}
	// A product that wraps to a size without threshold.
	w := hostileWorld(Version1)
	out := w.gossip(t, signV1(initialV1(func(a *wire.ActivationTxV1) {
		a.NumUnits, a.NIPost.PostMetadata.LabelsPerUnit = 4, 1<<62
	})))
	require.Equal(t, RuleVRFNonce, RuleOf(out.Err))
}

// The verifier behind Proofs survives the same sizes.
func TestSpaceProofsSurviveSizes(t *testing.T) {
	verifier, err := post.NewVerifier(post.Params{
		MinNumUnits: 0, MaxNumUnits: 1<<32 - 1, LabelsPerUnit: 1, K1: 12, K2: 4, K3: 1,
		Scrypt: post.Scrypt{N: 2, R: 1, P: 1},
	}, nil, 1)
	require.NoError(t, err)
	s := SpaceProofs{Verifier: verifier, Seed: []byte("peer")}
	for _, claim := range []post.NonceClaim{{}, {NumUnits: 8, LabelsPerUnit: 1}, {NumUnits: 4, LabelsPerUnit: 1 << 62}} {
		valid, err := s.Nonce(claim)
		require.NoError(t, err)
		require.False(t, valid)
	}
	found, err := s.Post(PostCheck{Post: &wire.PostV1{}})
	require.NoError(t, err)
	require.Equal(t, PostFinding{}, found)
	found, err = s.Post(PostCheck{Post: &wire.PostV1{Nonce: 1 << 31}, Statement: post.Statement{NumUnits: 9}, All: true})
	require.NoError(t, err)
	require.Equal(t, PostFinding{}, found)
}

// Spec 04 §22.7: parts that are absent are not looked into.
func TestAbsentPartsReject(t *testing.T) {
	for rule, drop := range map[Rule]func(*wire.ActivationTxV1){
		RuleNoNIPost:     func(a *wire.ActivationTxV1) { a.NIPost = nil },
		RuleNoNIPostPost: func(a *wire.ActivationTxV1) { a.NIPost.Post = nil },
		RuleNoMetadata:   func(a *wire.ActivationTxV1) { a.NIPost.PostMetadata = nil },
	} {
		blob := signV1(initialV1(drop))
		out := hostileWorld(Version1).gossip(t, blob)
		require.Equal(t, rule, RuleOf(out.Err))

		m, err := Decode(blob, nil)
		require.NoError(t, err)
		require.NotPanics(t, func() { m.Dependencies(gold) })
		w := hostileWorld(Version1)
		w.state.rows = []Row{{ID: m.ID, NodeID: m.NodeID(), Received: 1}}
		w.state.blobs[m.ID] = blob
		chain := &Chain{Rules: w.Rules, State: w.state, Proofs: w.proofs}
		valid, err := chain.Verify(m.ID)
		require.NoError(t, err)
		require.False(t, valid)
	}
}

// Spec 04 §22.9: a marriage in a checkpointed ATX cannot be proven to be the
// first of two. The ATX is stored.
func TestMarriageBesideCheckpointedOne(t *testing.T) {
	w := hostileWorld(Version2)
	reference, checkpointed := wire.ATXID{1}, wire.ATXID{2}
	w.state.rows = []Row{{ID: reference, NodeID: bob.NodeID()}, {ID: checkpointed, NodeID: bob.NodeID()}}
	w.state.marriages = []Marriage{{ID: 1, ATX: checkpointed, NodeID: bob.NodeID(), Target: bob.NodeID()}}

	publisher := alice.NodeID()
	mine, err := alice.Sign(nil, signing.SignMarriage{Publisher: publisher})
	require.NoError(t, err)
	his, err := bob.Sign(nil, signing.SignMarriage{Publisher: publisher})
	require.NoError(t, err)
	a := &wire.ActivationTxV2{
		PublishEpoch: 5, PositioningATX: gold, Initial: &wire.InitialAtxPartsV2{CommitmentATX: gold},
		NiPosts:   []wire.NiPostsV2{{Posts: []wire.SubPostV2{{NumUnits: 100}}}},
		Marriages: []wire.MarriageCertificate{{Signature: mine}, {ReferenceAtx: reference, Signature: his}},
	}
	challenge := (&wire.NIPostChallengeV2{PublishEpoch: 5, PositioningATXID: gold, InitialPost: &a.Initial.Post}).Hash()
	w.state.poets[wire.PoetProofRef{}] = PoetProof{Leaves: 10, Statement: challenge}
	blob := signV2(alice, a)
	out := w.gossip(t, blob)
	require.NoError(t, out.Err)
	require.Equal(t, Accept, out.Verdict)
	require.NotNil(t, out.Effects.Row)
	require.False(t, out.Effects.CacheMalicious)
	require.Equal(t, MarriageID(1), out.Effects.Marriage.ID, "alice joins bob's set")

	w.state.blobs[checkpointed] = []byte{1}
	require.True(t, w.gossip(t, blob).Effects.CacheMalicious, "with a blob it is a double marriage")
}

// Indices that point nowhere are refused wherever they stand.
func TestIndicesOutOfRange(t *testing.T) {
	marriage := wire.ATXID{3}
	w := hostileWorld(Version2)
	w.state.rows = []Row{{ID: marriage, NodeID: alice.NodeID(), Commitment: &gold}, {ID: wire.ATXID{4}}}
	w.state.marriages = []Marriage{{ID: 1, ATX: marriage, NodeID: alice.NodeID()}}
	w.state.poets[wire.PoetProofRef{}] = PoetProof{}
	for rule, sub := range map[Rule]wire.SubPostV2{
		RuleMarriageIndex: {MarriageIndex: 1<<32 - 1},
		RulePrevIndex:     {PrevATXIndex: 1<<32 - 1},
	} {
		out := w.gossip(t, signV2(alice, &wire.ActivationTxV2{
			PublishEpoch: 5, PositioningATX: gold, PreviousATXs: []wire.ATXID{{4}}, MarriageATX: &marriage,
			NiPosts: []wire.NiPostsV2{{Posts: []wire.SubPostV2{sub}}},
		}))
		require.Equal(t, rule, RuleOf(out.Err))
	}
}

// A message that waited for its dependencies is not checked again.
func TestResumedMessageRepeatsNothing(t *testing.T) {
	w := hostileWorld(Version1)
	m, err := Decode(signV1(initialV1(func(*wire.ActivationTxV1) {})), nil)
	require.NoError(t, err)
	out := w.Process(m, Source{}, 5, w.state, w.proofs)
	require.Equal(t, Outcome{Err: ErrMissing, Missing: Dependencies{Poets: []wire.PoetProofRef{{}}}}, out)
	require.Len(t, w.proofs.posts, 1)
	require.Len(t, w.proofs.nonces, 1)

	statement := m.V1.NIPostChallengeV1.Hash()
	w.state.poets[wire.PoetProofRef{}] = PoetProof{Leaves: 3, Statement: statement}
	out = w.Process(m, Source{}, 5, w.state, w.proofs)
	require.Equal(t, Accept, out.Verdict)
	require.Len(t, w.proofs.posts, 2, "only the nipost's proof is new")
	require.Len(t, w.proofs.nonces, 1)
	require.Equal(t, uint64(300), out.Effects.Row.Weight)

	require.Equal(t, Reject, Unavailable(Dependencies{}, true).Verdict)
}

// A batch's verdict stands for the signature.
func TestSignatureFromBatch(t *testing.T) {
	w := hostileWorld(Version1)
	good := signV1(initialV1(func(*wire.ActivationTxV1) {}))
	bad := append([]byte{}, good...)
	bad[len(bad)-1] ^= 1
	batch := w.Verifier.NewBatch(2)
	var messages []*Message
	for _, blob := range [][]byte{good, bad} {
		m, err := Decode(blob, nil)
		require.NoError(t, err)
		m.AddTo(batch)
		messages = append(messages, m)
	}
	for i, valid := range batch.Verify() {
		messages[i].SetSignature(valid)
	}
	require.ErrorIs(t, w.Process(messages[0], Source{}, 5, w.state, w.proofs).Err, ErrMissing)
	require.Equal(t, RuleSignature, RuleOf(w.Process(messages[1], Source{}, 5, w.state, w.proofs).Err))
}

var errAway = errors.New("database is away")

// brokenState fails at the n-th read.
type brokenState struct {
	*memState
	left int
}

func (s *brokenState) fail() error {
	if s.left--; s.left < 0 {
		return errAway
	}
	return nil
}

func (s *brokenState) ATX(id wire.ATXID) (Row, bool, error) {
	row, ok, _ := s.memState.ATX(id)
	return row, ok, s.fail()
}

func (s *brokenState) Commitment(id wire.NodeID) (wire.ATXID, bool, error) {
	c, ok, _ := s.memState.Commitment(id)
	return c, ok, s.fail()
}

func (s *brokenState) Poet(ref wire.PoetProofRef) (PoetProof, bool, error) {
	p, ok, _ := s.memState.Poet(ref)
	return p, ok, s.fail()
}

func (s *brokenState) Units(atx wire.ATXID, id wire.NodeID) (uint32, bool, error) {
	u, ok, _ := s.memState.Units(atx, id)
	return u, ok, s.fail()
}

func (s *brokenState) SignedIn(id wire.NodeID, e wire.EpochID) (wire.ATXID, bool, error) {
	a, ok, _ := s.memState.SignedIn(id, e)
	return a, ok, s.fail()
}

func (s *brokenState) Malicious(id wire.NodeID) (bool, error) {
	ok, _ := s.memState.Malicious(id)
	return ok, s.fail()
}

// A failure of ours is no verdict on a peer, wherever it strikes.
func TestFailureBlamesNobody(t *testing.T) {
	failures := 0
	for _, c := range loadHandlerCases(t) {
		if c.Expected.Result != "accept" {
			continue
		}
		for reads := 0; ; reads++ {
			w := c.world(t)
			m, err := Decode(c.Input, w.Params.Versions)
			require.NoError(t, err)
			src := Source{Sync: c.Via == "sync", Self: c.FromSelf}
			copy(src.Want[:], c.Want)
			out := w.Process(m, src, c.Current, &brokenState{w.state, reads}, w.proofs)
			if out.Verdict == Accept {
				break
			}
			require.Equal(t, Unknown, out.Verdict, "%s", c.Name)
			require.ErrorIs(t, out.Err, errAway)
			require.Nil(t, out.Effects)
			failures++
		}
	}
	require.Positive(t, failures)
}

type namedCase struct {
	Name string `json:"name"`
	handlerCase
}

func loadHandlerCases(t testing.TB) (cases []namedCase) {
	for _, name := range []string{"activation/atx_handler_v1", "activation/atx_handler_v2"} {
		var file struct{ Cases []namedCase }
		vectors.Load(t, name, &file)
		cases = append(cases, file.Cases...)
	}
	return cases
}

// Decoding keeps the ID, and versions other than the network's are not read.
func FuzzDecode(f *testing.F) {
	for _, c := range loadHandlerCases(f) {
		f.Add([]byte(c.Input), len(c.Versions) > 0)
	}
	f.Fuzz(func(t *testing.T, blob []byte, second bool) {
		var versions Versions
		if second {
			versions = Versions{{Version: Version2}}
		}
		m, err := Decode(blob, versions)
		if err != nil {
			require.Equal(t, RuleMalformed, RuleOf(err))
			return
		}
		var canonical []byte
		if m.V1 != nil {
			canonical = codec.MustEncode(m.V1)
		} else {
			canonical = codec.MustEncode(m.V2)
			leaves := m.V2.FieldLeaves()
			require.Equal(t, m.ID[:], merkle.Root(merkle.Blake3, leaves[:]))
		}
		again, err := Decode(canonical, versions)
		require.NoError(t, err)
		require.Equal(t, m.ID, again.ID)
	})
}

// Whatever arrives is judged, and twice the same way. Signatures are taken for
// granted, so that inputs get past them.
func FuzzProcess(f *testing.F) {
	for i, c := range loadHandlerCases(f) {
		f.Add(i, []byte(c.Input))
	}
	cases := loadHandlerCases(f)
	f.Fuzz(func(t *testing.T, n int, blob []byte) {
		c := &cases[uint(n)%uint(len(cases))]
		w := c.world(t)
		judge := func() Outcome {
			m, err := Decode(blob, w.Params.Versions)
			if err != nil {
				return JudgeUndecodable(err)
			}
			m.SetSignature(true)
			return w.Process(m, Source{}, c.Current, w.state, w.proofs)
		}
		first, second := judge(), judge()
		require.Equal(t, first.Verdict, second.Verdict)
		require.Equal(t, first.Effects, second.Effects)
		if first.Verdict == Unknown {
			require.ErrorIs(t, first.Err, ErrMissing)
		}
	})
}

// BenchmarkHandle is the way of one ATX without proofs of space: decode, ID,
// signature out of a batch, membership in a round as large as mainnet's, weight.
func BenchmarkHandle(b *testing.B) {
	w := hostileWorld(Version1)
	a := initialV1(func(a *wire.ActivationTxV1) { a.NIPost.Membership.Nodes = make([]wire.Hash32, 20) })
	w.state.poets[wire.PoetProofRef{}] = PoetProof{Leaves: 3, Statement: statement(a)}
	input := signV1(a)

	const batchSize = 256
	b.ReportAllocs()
	messages := make([]*Message, batchSize)
	n := 0
	for b.Loop() {
		batch := w.Verifier.NewBatch(batchSize)
		for i := range messages {
			messages[i], _ = Decode(input, nil)
			messages[i].AddTo(batch)
		}
		verdicts := batch.Verify()
		for i, m := range messages {
			m.SetSignature(verdicts[i])
			w.proofs.posts, w.proofs.nonces = w.proofs.posts[:0], w.proofs.nonces[:0]
			if out := w.Process(m, Source{}, 5, w.state, w.proofs); out.Verdict != Accept {
				b.Fatal(out.Err)
			}
		}
		n += batchSize
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "atx/s")
}

func BenchmarkDecode(b *testing.B) {
	a := initialV1(func(a *wire.ActivationTxV1) { a.NIPost.Membership.Nodes = make([]wire.Hash32, 20) })
	input := signV1(a)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(input, nil); err != nil {
			b.Fatal(err)
		}
	}
}
