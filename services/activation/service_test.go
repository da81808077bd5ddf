package activation

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestNewNamesAllThatIsWrong(t *testing.T) {
	_, err := New(Config{}, Deps{})
	for _, what := range []string{"network", "seed", "deps"} {
		require.ErrorContains(t, err, what)
	}
}

func TestRunRefusesASchemaItDoesNotKnow(t *testing.T) {
	w := start(t, network.Fastnet(), nil)
	w.stop()
	other := storetest.Open(t, storetest.URL(t, store.Schema{Name: "activation", Parts: Schema().Parts[:2]}), "activation")
	deps := w.deps
	deps.DB, deps.Registry = other, nil
	s, err := New(w.cfg, deps)
	require.NoError(t, err)
	require.ErrorIs(t, s.Run(t.Context()), store.ErrSchemaTooOld)
	require.Error(t, s.Ready())
}

// first is the first ATX of a recording, with its PoET proofs.
func first(t testing.TB, name string) (recordedATX, []recordedPoet) {
	return vectors.Rows[recordedATX](t, name, "atxs")[0], vectors.Rows[recordedPoet](t, name, "poet_proofs")
}

func (w *world) offer(t testing.TB, topic bus.GossipTopic, peer string, body []byte) bus.Judgement {
	j, err := bus.GossipIn(topic).Call(t.Context(), w.gossip, bus.PeerMessage{Peer: peer, Body: body})
	require.NoError(t, err)
	return j
}

func TestGossipedATX(t *testing.T) {
	name := vectors.Recordings(t)[0]
	a, poets := first(t, name)
	w := start(t, paramsOf(t, name), func(s *setup) {
		s.deps.Self = func(peer string) bool { return peer == "self" }
	})
	w.clock.at.Store(a.Received)
	heard := make(chan struct{}, 8)
	_, err := bus.Listen(t.Context(), w.gossip, bus.NewRows(bus.ActivationService, bus.FeedATXs), false,
		bus.Queue{Length: 8, Full: 2}, func(context.Context, bus.None) { heard <- struct{}{} })
	require.NoError(t, err)

	j := w.offer(t, bus.TopicATX, "peer", a.Blob)
	require.Equal(t, bus.Ignore, j.Verdict)
	require.Equal(t, "missing", j.Reason)
	require.Len(t, j.Missing, 1)
	require.Equal(t, bus.KindPoet, j.Missing[0].Kind)
	for _, p := range poets {
		if wire.Hash32(p.Ref.Array32()) == j.Missing[0].Hash {
			require.Equal(t, bus.Accept, w.sync(t, bus.KindPoet, p.Ref.Array32(), p.Blob).Verdict)
			bad := w.sync(t, bus.KindPoet, wire.Hash32{1}, p.Blob)
			require.Equal(t, bus.Ignore, bad.Verdict)
			require.Equal(t, "wrong_hash", bad.Reason)
		}
	}
	require.Equal(t, bus.Accept, w.offer(t, bus.TopicATX, "peer", a.Blob).Verdict)
	<-heard
	require.Equal(t, bus.Ignore, w.offer(t, bus.TopicATX, "peer", a.Blob).Verdict)
	require.Equal(t, bus.Accept, w.offer(t, bus.TopicATX, "self", a.Blob).Verdict)
	require.Equal(t, bus.Accept, w.sync(t, bus.KindATX, a.ID.Array32(), a.Blob).Verdict)
	require.Equal(t, "wrong_hash", w.sync(t, bus.KindATX, wire.Hash32{7}, a.Blob).Reason)
	require.Equal(t, bus.Reject, w.offer(t, bus.TopicATX, "peer", a.Blob[:100]).Verdict)

	feed, err := read.ATXsAfter(t.Context(), w.db, 0, 9)
	require.NoError(t, err)
	require.Len(t, feed, 1)
	require.Equal(t, a.Received, feed[0].Received) // the clock's

	// The proofs were verified once, though the ATX came twice.
	require.EqualValues(t, 2, w.metric(t, "smeshery_activation_verify_total", "kind", "post"))
	require.EqualValues(t, 1, w.metric(t, "smeshery_activation_verify_total", "kind", "vrf_nonce"))
	require.EqualValues(t, 2, w.metric(t, "smeshery_activation_verify_total", "kind", "poet"))
	require.Positive(t, w.metric(t, "smeshery_activation_verify_seconds_total", "kind", "post"))
}

// metric is the value of a counter.
func (w *world) metric(t testing.TB, name, label, value string) float64 {
	families, err := w.registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetName() == label && l.GetValue() == value {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	return math.NaN()
}

func TestGossipIsIgnoredUntilSynced(t *testing.T) {
	w := start(t, network.Fastnet(), func(s *setup) { s.deps.Synced = func() bool { return false } })
	for _, topic := range []bus.GossipTopic{bus.TopicATX, bus.TopicMalfeasance} {
		require.Equal(t, notSynced, w.offer(t, topic, "peer", []byte("x")))
	}
	require.Equal(t, bus.Reject, w.sync(t, bus.KindATX, wire.Hash32{}, nil).Verdict)
}

// Without its database the service has no opinion.
func TestAnErrorOfOursIsNoVerdict(t *testing.T) {
	name := vectors.Recordings(t)[0]
	a, _ := first(t, name)
	w := start(t, paramsOf(t, name), nil)
	w.clock.at.Store(a.Received)
	admin := storetest.Open(t, w.url, "")
	_, err := admin.Exec(t.Context(), "ALTER SCHEMA activation RENAME TO away")
	require.NoError(t, err)
	for _, call := range []func() (bus.Judgement, error){
		func() (bus.Judgement, error) {
			return bus.GossipIn(bus.TopicATX).Call(t.Context(), w.gossip, bus.PeerMessage{Body: a.Blob})
		},
		func() (bus.Judgement, error) {
			return bus.SyncIn(bus.KindPoet).Call(t.Context(), w.gossip, bus.FetchedObject{Body: a.Blob})
		},
		func() (bus.Judgement, error) {
			return bus.GossipIn(bus.TopicMalfeasance).Call(t.Context(), w.gossip, bus.PeerMessage{Body: a.Blob})
		},
	} {
		j, err := call()
		require.ErrorIs(t, err, bus.Internal)
		require.Equal(t, bus.Judgement{}, j)
	}
	_, err = admin.Exec(t.Context(), "ALTER SCHEMA away RENAME TO activation")
	require.NoError(t, err)
	require.Equal(t, bus.Ignore, w.offer(t, bus.TopicATX, "peer", a.Blob).Verdict)
}

func identities(t testing.TB, n int) (dir string, keys []signing.Key) {
	dir = filepath.Join(t.TempDir(), keyfile.Dir)
	for i := range n {
		key := signing.NewKey([32]byte{byte(i), 77})
		keys = append(keys, key)
		require.NoError(t, keyfile.Store(dir, keyfile.Identity{Name: string(rune('a'+i)) + ".key", Key: key}))
	}
	return dir, keys
}

func TestSignsForIdentitiesThatItHolds(t *testing.T) {
	dir, keys := identities(t, 3)
	params := network.Fastnet()
	w := start(t, params, func(s *setup) { s.config.Identities = dir })
	require.Eventually(t, func() bool {
		r, err := bus.Identities(bus.ActivationService).Call(t.Context(), w.gossip, bus.None{})
		return err == nil && len(r.NodeIDs) == len(keys)
	}, 20*time.Second, time.Millisecond)

	held, err := read.Holders(t.Context(), w.db)
	require.NoError(t, err)
	require.Len(t, held, len(keys))
	for _, h := range held {
		require.Equal(t, bus.ActivationService, h.Holder)
	}

	id, prefix := keys[0].NodeID(), params.Genesis.ID()
	layer := codec.MustEncode(&wire.BallotMetadata{Layer: 5, MsgHash: wire.Hash32{1}})
	rival := codec.MustEncode(&wire.BallotMetadata{Layer: 5, MsgHash: wire.Hash32{2}})
	hare := codec.MustEncode(&wire.HareMetadata{Layer: 5, Round: 3})
	certify := codec.MustEncode(&wire.CertifyContent{LayerID: 5, BlockID: wire.BlockID{1}})
	items := []bus.SignItem{
		{NodeID: id, Domain: uint8(signing.Ballot), Body: layer},
		{NodeID: id, Domain: uint8(signing.Ballot), Body: rival},
		{NodeID: id, Domain: uint8(signing.Hare), Body: hare},
		{NodeID: id, Domain: uint8(signing.Hare), Body: certify},
		{NodeID: id, Domain: uint8(signing.BeaconFirst), Body: codec.MustEncode(&wire.FirstVotingMessageBody{EpochID: 4})},
		{NodeID: id, Domain: uint8(signing.ATX), Body: codec.MustEncode(&wire.ATXMetadata{PublishEpoch: 4})},
		{NodeID: id, Domain: uint8(signing.Poet), Body: make([]byte, 32)},
		{NodeID: id, Domain: uint8(signing.Ballot), Body: append(layer, 0)},
		{NodeID: id, Domain: 77, Body: layer},
		{NodeID: wire.NodeID{1}, Domain: uint8(signing.Ballot), Body: layer},
	}
	r, err := bus.Sign(bus.ActivationService).Call(t.Context(), w.gossip, bus.SignRequest{Items: items})
	require.NoError(t, err)
	var got []bus.SignOutcome
	verifier := signing.NewVerifier(prefix[:])
	for i, result := range r.Results {
		got = append(got, result.Outcome)
		require.Equal(t, result.Outcome == bus.Signed,
			verifier.Verify(signing.Domain(items[i].Domain), items[i].NodeID, items[i].Body, result.Signature), i)
	}
	require.Equal(t, []bus.SignOutcome{
		bus.Signed, bus.SignRefused, bus.Signed, bus.Signed, bus.Signed,
		bus.SignRefused, bus.SignRefused, bus.SignRefused, bus.SignRefused, bus.SignNotOurs,
	}, got)

	proofs, err := bus.ProveVRF(bus.ActivationService).Call(t.Context(), w.gossip, bus.VRFRequest{Items: []bus.VRFItem{
		{NodeID: id, Message: []byte("m")}, {NodeID: wire.NodeID{1}, Message: []byte("m")},
	}})
	require.NoError(t, err)
	require.True(t, vrf.Verify(id, []byte("m"), proofs.Results[0].Proof))
	require.Equal(t, bus.SignNotOurs, proofs.Results[1].Outcome)

	w.stop()
	_, err = bus.Sign(bus.ActivationService).Call(t.Context(), w.gossip, bus.SignRequest{Items: items})
	require.ErrorIs(t, err, bus.Unavailable)
	var resigned int
	require.NoError(t, w.db.QueryRow(t.Context(), "SELECT count(*) FROM audit WHERE event = 'lease_resigned'").Scan(&resigned))
	require.Equal(t, len(keys), resigned)
}

// Keys appear in no error and no formatted value of the service.
func TestKeysOfABadDirectoryAreNotTold(t *testing.T) {
	dir, keys := identities(t, 1)
	seed := keys[0].Seed()
	bad := keyfile.Identity{Name: keyfile.LocalName, Key: keys[0]}
	require.NoError(t, keyfile.Store(dir, bad))
	w := start(t, network.Fastnet(), nil)
	cfg, deps := w.cfg, w.deps
	cfg.Identities, deps.Registry = dir, nil
	s, err := New(cfg, deps)
	require.NoError(t, err)
	err = s.Run(t.Context())
	require.True(t, errors.Is(err, keyfile.ErrDuplicate) || errors.Is(err, keyfile.ErrMixed))
	require.NotContains(t, err.Error(), vectors.Hex(seed[:8]).String())
}

func TestMalfeasanceTravels(t *testing.T) {
	name := vectors.Recordings(t)[0]
	atxs := vectors.Rows[recordedATX](t, name, "atxs")
	params := paramsOf(t, name)
	w := start(t, params, nil)
	key := signing.NewKey([32]byte{1, 2, 3})
	prefix := params.Genesis.ID()
	proof := wire.MalfeasanceProof{Layer: 4, Type: wire.MultipleBallots, Data: new(wire.BallotProof)}
	for i := range 2 {
		m := &proof.Data.(*wire.BallotProof).Messages[i]
		m.SmesherID, m.InnerMsg = key.NodeID(), wire.BallotMetadata{Layer: 4, MsgHash: wire.Hash32{byte(i)}}
		var err error
		m.Signature, err = key.Sign(prefix[:], signing.SignBallot{Meta: m.InnerMsg})
		require.NoError(t, err)
	}
	body := codec.MustEncode(&wire.MalfeasanceGossip{MalfeasanceProof: proof})
	require.Equal(t, "unknown_identity", w.offer(t, bus.TopicMalfeasance, "peer", body).Reason)
	_, err := w.db.Exec(t.Context(), `INSERT INTO atxs VALUES (1, $1, 1, $2, $3, 0, 0, 0, 0, 0, 1, NULL, NULL, 0, 0, 0, NULL)`,
		[]byte(atxs[0].ID), id32(key.NodeID()), make([]byte, 24))
	require.NoError(t, err)
	w.clock.at.Store(777)
	require.Equal(t, bus.Accept, w.offer(t, bus.TopicMalfeasance, "peer", body).Verdict)
	w.clock.at.Store(888)
	require.Equal(t, bus.Accept, w.offer(t, bus.TopicMalfeasance, "peer", body).Verdict)
	encoded := codec.MustEncode(&proof)
	require.Equal(t, bus.Accept, w.sync(t, bus.KindMalfeasance, wire.Hash32(key.NodeID()), encoded).Verdict)
	require.Equal(t, "wrong_identity", w.sync(t, bus.KindMalfeasance, wire.Hash32{}, encoded).Reason)
	feed, err := read.MaliciousAfter(t.Context(), w.db, 0, 9)
	require.NoError(t, err)
	require.Equal(t, []read.Malicious{{Seq: 1, Node: key.NodeID(), Received: 777}}, feed)
}

func id32(id wire.NodeID) []byte { return id[:] }
