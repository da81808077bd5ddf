package intake

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

// chain makes the ATXs of honest identities, epoch after epoch.
type chain struct {
	params atx.Params
	prefix []byte
	keys   []signing.Key
	last   []wire.ATXID
	epoch  wire.EpochID
	best   wire.ATXID
	twists uint8
}

// anything believes every proof of space.
type anything struct{}

func (anything) Posts(checks []atx.PostCheck) ([]atx.PostFinding, []error) {
	found := make([]atx.PostFinding, len(checks))
	for i := range found {
		found[i].Valid = true
	}
	return found, make([]error, len(checks))
}

func (anything) Nonce(*post.NonceClaim) (bool, error) { return true, nil }

func newChain(identities int) *chain {
	c := &chain{
		prefix: []byte("chain of test"),
		params: atx.Params{
			Golden: wire.ATXID{0xff}, LayersPerEpoch: 10, TickSize: 10, LabelsPerUnit: 1 << 32,
			MinNumUnits: 4, MaxNumUnits: 1 << 20,
		},
		keys: make([]signing.Key, identities), last: make([]wire.ATXID, identities),
	}
	for i := range c.keys {
		var seed [32]byte
		binary.LittleEndian.PutUint64(seed[:], uint64(i))
		c.keys[i] = signing.NewKey(seed)
	}
	c.best = c.params.Golden
	return c
}

func (c *chain) intake(t testing.TB, database *store.DB, space Space) *Intake {
	metrics, err := measure.New(nil)
	require.NoError(t, err)
	return New(database, Config{
		Rules: &atx.Rules{Params: c.params, Verifier: signing.NewVerifier(c.prefix)},
		Space: space, Metrics: metrics, Own: func(wire.NodeID) bool { return false },
	})
}

// next makes the ATXs of one more epoch, and the PoET proof that they stand on.
func (c *chain) next(t testing.TB) (db.PoetProof, []Item) {
	c.epoch++
	atxs := make([]*wire.ActivationTxV1, len(c.keys))
	members := make([]poet.Node, len(c.keys))
	for i := range c.keys {
		a := &wire.ActivationTxV1{SmesherID: c.keys[i].NodeID()}
		a.PublishEpoch, a.PrevATXID, a.PositioningATXID = c.epoch, c.last[i], c.best
		a.Coinbase, a.NumUnits = wire.Address{1, byte(i)}, 16
		if c.epoch == 1 {
			golden, node, nonce := c.params.Golden, a.SmesherID, uint64(i)
			a.CommitmentATXID, a.NodeID, a.VRFNonce = &golden, &node, &nonce
			a.InitialPost = c.post(i)
		} else {
			a.Sequence = uint64(c.epoch) - 1
		}
		members[i] = poet.Node(a.NIPostChallengeV1.Hash())
		atxs[i] = a
	}
	tree := poet.NewMembershipTree(members)
	root, _ := tree.Root()
	ref := wire.PoetProofRef(wire.Sum([]byte{byte(c.epoch)}, []byte("poet")))
	items := make([]Item, len(atxs))
	for i, a := range atxs {
		nodes, err := tree.Prove(uint64(i))
		require.NoError(t, err)
		a.NIPost = &wire.NIPostV1{
			Membership:   wire.MerkleProofV1{Nodes: nodes, LeafIndex: uint64(i)},
			Post:         c.post(i),
			PostMetadata: &wire.PostMetadataV1{Challenge: ref[:], LabelsPerUnit: c.params.LabelsPerUnit},
		}
		a.Signature, err = c.keys[i].Sign(c.prefix, signing.SignATXv1{ATX: a})
		require.NoError(t, err)
		c.last[i] = a.ID()
		items[i] = Item{
			Blob: codec.MustEncode(a), Received: time.Unix(int64(c.epoch)*100, int64(i)),
			Source: atx.Source{Sync: true, Want: wire.Hash32(c.last[i])},
		}
	}
	c.best = c.last[0]
	return db.PoetProof{Ref: ref, Leaves: 10_000, Statement: wire.Hash32(root), Bytes: []byte{1}}, items
}

// post is as long as those of mainnet.
func (c *chain) post(i int) *wire.PostV1 {
	indices := make([]byte, 172)
	binary.LittleEndian.PutUint64(indices, uint64(i)+uint64(c.epoch)<<32)
	return &wire.PostV1{Nonce: 1, Indices: indices, Pow: 7}
}
