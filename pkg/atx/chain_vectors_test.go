package atx

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/merkle"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Posts are the shares of an ATX, in their order.
func (s *memState) Posts(id wire.ATXID) (posts []Post, err error) {
	for _, p := range s.posts {
		if p.atx == id {
			posts = append(posts, p.Post)
		}
	}
	return posts, nil
}

// chainProofs finds one ATX's proof of space invalid, and writes down whose it
// was asked for, by the nonce.
type chainProofs struct {
	invalid uint32
	scriptedProofs
}

func (p *chainProofs) Post(c PostCheck) (PostFinding, error) {
	p.posts = append(p.posts, c)
	return PostFinding{Valid: c.Post.Nonce != p.invalid}, nil
}

type chainCase struct {
	Golden  vectors.Hex `json:"golden_atx"`
	Prefix  vectors.Hex `json:"prefix"`
	Names   []string    `json:"names"`
	Target  string      `json:"target"`
	Invalid string      `json:"invalid_post"`
	Name    string      `json:"name"`
	Valid   bool        `json:"valid"`
	Setup   []struct {
		Encoded vectors.Hex `json:"encoded"`
	} `json:"setup"`
	Before map[string]Validity `json:"validity_before"`
	After  map[string]Validity `json:"validity_after"`
	Posts  []struct {
		ATX        string      `json:"atx"`
		Commitment vectors.Hex `json:"commitment_atx"`
		Units      uint32      `json:"num_units"`
	} `json:"post_verifications"`
}

// statement is what an ATX's membership proof leads to; the case says that all
// PoET proofs are there, but does not list them.
func statement(a *wire.ActivationTxV1) wire.Hash32 {
	leaf := a.NIPostChallengeV1.Hash()
	value := leaf[:]
	for i, node := range a.NIPost.Membership.Nodes {
		left, right := value, node[:]
		if a.NIPost.Membership.LeafIndex>>i&1 == 1 {
			left, right = right, left
		}
		joined := merkle.Blake3(left, right)
		value = joined[:]
	}
	return wire.Hash32(value)
}

func TestVectorVerifyChain(t *testing.T) {
	vectors.Run(t, "activation/verify_chain", func(t *testing.T, c chainCase) {
		w := &world{
			Rules: &Rules{Verifier: signing.NewVerifier(c.Prefix), Params: Params{
				Golden: wire.ATXID(c.Golden), LayersPerEpoch: 10, TickSize: 1, MaxNumUnits: math.MaxUint32,
			}},
			state: newMemState(), proofs: new(scriptedProofs),
		}
		ids, nonces, names := map[string]wire.ATXID{}, map[string]uint32{}, map[uint32]string{}
		for i, s := range c.Setup {
			m, err := Decode(s.Encoded, nil)
			require.NoError(t, err)
			w.state.poets[m.V1.NIPost.PostMetadata.PoetRef()] = PoetProof{10, statement(m.V1)}
			w.storeBySync(t, s.Encoded, 1000)
			nonce := m.V1.NIPost.Post.Nonce
			ids[c.Names[i]], nonces[c.Names[i]], names[nonce] = m.ID, nonce, c.Names[i]
		}
		for i := range w.state.rows {
			row := &w.state.rows[i]
			row.Received, row.Validity = 1, c.Before[c.Names[i]]
		}
		proofs := &chainProofs{invalid: math.MaxUint32}
		if c.Invalid != "" {
			proofs.invalid = nonces[c.Invalid]
		}
		chain := &Chain{Rules: w.Rules, State: w.state, Proofs: proofs}
		switch c.Name {
		case "all assumed valid by age":
			chain.AssumeBefore = 2
		case "trusted identity", "trusted identity, candidate of another identity":
			row, _, _ := w.state.ATX(ids["a0"])
			chain.Trusted = row.NodeID
		}
		valid, err := chain.Verify(ids[c.Target])
		require.NoError(t, err)
		require.Equal(t, c.Valid, valid)

		require.Len(t, proofs.posts, len(c.Posts))
		for i, want := range c.Posts {
			got := proofs.posts[i]
			require.Equal(t, want.ATX, names[got.Post.Nonce])
			require.Equal(t, wire.ATXID(want.Commitment), got.Statement.CommitmentATX)
			require.Equal(t, want.Units, got.Statement.NumUnits)
			require.True(t, got.All)
		}
		after := map[wire.ATXID]Validity{}
		for _, row := range w.state.rows {
			after[row.ID] = row.Validity
		}
		for _, mark := range chain.Marks {
			after[mark.ID] = mark.Validity
		}
		for name, want := range c.After {
			require.Equal(t, want, after[ids[name]], name)
		}
	})
}
