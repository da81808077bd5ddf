package activation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Requests of FuzzRequests.
const (
	askGossipedATX = iota
	askATX
	askPoet
	askGossipedProof
	askProof
	askSign
	askVRF
	askKinds
)

// fuzzed is a service that holds half of a recorded network and two identities,
// and what only others could have made.
type fuzzed struct {
	*world
	prefix  []byte
	keys    map[wire.NodeID]bool
	atxs    map[string]bool
	poets   map[string]wire.Hash32
	culprit wire.NodeID
	// signed is what was signed for an identity in a slot.
	signed map[signedSlot]string
}

type signedSlot struct {
	node wire.NodeID
	slot signing.Slot
}

func newFuzzed(f *testing.F, name string, atxs []recordedATX, poets []recordedPoet) *fuzzed {
	dir, keys := identities(f, 2)
	w := start(f, paramsOf(f, name), func(s *setup) { s.config.Identities = dir })
	id := w.cfg.Network.Genesis.ID()
	z := &fuzzed{
		world: w, prefix: id[:], keys: map[wire.NodeID]bool{}, atxs: map[string]bool{}, poets: map[string]wire.Hash32{},
		culprit: signing.NewKey([32]byte{1, 2, 3}).NodeID(), signed: map[signedSlot]string{},
	}
	for _, k := range keys {
		z.keys[k.NodeID()] = true
	}
	w.clock.at.Store(atxs[len(atxs)-1].Received)
	for _, p := range poets {
		z.poets[string(p.Blob)] = wire.Hash32(p.Ref)
		require.Equal(f, bus.Accept, w.sync(f, bus.KindPoet, wire.Hash32(p.Ref), p.Blob).Verdict)
	}
	for i, a := range atxs {
		z.atxs[string(a.Blob)] = true
		if i < len(atxs)/2 {
			w.sync(f, bus.KindATX, wire.Hash32(a.ID), a.Blob)
		}
	}
	_, err := w.db.Exec(f.Context(), `INSERT INTO atxs VALUES (1000000, $1, 1, $2, $3, 0, 0, 0, 0, 0, 1, NULL, NULL, 0, 0, 0, NULL)`,
		make([]byte, 32), id32(z.culprit), make([]byte, 24))
	require.NoError(f, err)
	require.Eventually(f, func() bool {
		r, err := bus.Identities(w.cfg.Holder).Call(f.Context(), w.gossip, bus.None{})
		return err == nil && len(r.NodeIDs) == len(keys)
	}, 20*time.Second, time.Millisecond)
	return z
}

// FuzzRequests hands a running service any bytes in any request. It never fails
// at them, gives no verdict without a reason, accepts only what the recorded
// identities made and what really convicts, and signs at most once in a slot.
func FuzzRequests(f *testing.F) {
	recordings := vectors.Recordings(f)
	name := recordings[len(recordings)-1]
	atxs, poets := vectors.Rows[recordedATX](f, name, "atxs"), vectors.Rows[recordedPoet](f, name, "poet_proofs")
	z := newFuzzed(f, name, atxs, poets)
	for _, a := range []recordedATX{atxs[0], atxs[len(atxs)/2], atxs[len(atxs)-1]} {
		f.Add(uint8(askGossipedATX), []byte{}, []byte(a.Blob))
		f.Add(uint8(askATX), []byte(a.ID), []byte(a.Blob))
	}
	f.Add(uint8(askPoet), []byte(poets[0].Ref), []byte(poets[0].Blob))
	proof := z.doubleBallot(f, signing.NewKey([32]byte{1, 2, 3}))
	f.Add(uint8(askGossipedProof), []byte{}, codec.MustEncode(&wire.MalfeasanceGossip{MalfeasanceProof: *proof}))
	f.Add(uint8(askProof), z.culprit[:], codec.MustEncode(proof))
	for id := range z.keys {
		ballot := codec.MustEncode(&wire.BallotMetadata{Layer: 5, MsgHash: wire.Hash32{1}})
		f.Add(uint8(askSign), id[:], append([]byte{byte(signing.Ballot)}, ballot...))
		ballot[0] ^= 1
		f.Add(uint8(askSign), id[:], append([]byte{byte(signing.Ballot)}, ballot...))
		f.Add(uint8(askSign), id[:], append([]byte{byte(signing.Hare)}, codec.MustEncode(&wire.HareMetadata{Layer: 5, Round: 3})...))
		f.Add(uint8(askVRF), id[:], []byte("message"))
	}
	f.Fuzz(func(t *testing.T, kind uint8, name, body []byte) {
		var hash wire.Hash32
		copy(hash[:], name)
		switch kind % askKinds {
		case askGossipedATX:
			if z.gossiped(t, bus.TopicATX, body) {
				z.requireRecorded(t, body)
			}
		case askATX:
			if z.fetched(t, bus.KindATX, hash, body) {
				require.Equal(t, z.requireRecorded(t, body), hash)
			}
		case askPoet:
			if z.fetched(t, bus.KindPoet, hash, body) {
				require.Equal(t, z.poets[string(body)], hash)
			}
		case askGossipedProof:
			var g wire.MalfeasanceGossip
			if z.gossiped(t, bus.TopicMalfeasance, body) {
				require.NoError(t, codec.Decode(body, &g))
				require.Equal(t, z.culprit, g.Data.MaliciousID())
			}
		case askProof:
			var p wire.MalfeasanceProof
			if z.fetched(t, bus.KindMalfeasance, hash, body) {
				require.NoError(t, codec.Decode(body, &p))
				require.Equal(t, z.culprit, p.Data.MaliciousID())
				require.Equal(t, wire.Hash32(z.culprit), hash)
			}
		case askSign:
			z.fuzzSign(t, wire.NodeID(hash), body)
		case askVRF:
			z.fuzzVRF(t, wire.NodeID(hash), body)
		}
	})
}

// doubleBallot convicts the owner of a key.
func (z *fuzzed) doubleBallot(t testing.TB, key signing.Key) *wire.MalfeasanceProof {
	t.Helper()
	ballots := new(wire.BallotProof)
	for i := range ballots.Messages {
		m := &ballots.Messages[i]
		m.SmesherID, m.InnerMsg = key.NodeID(), wire.BallotMetadata{Layer: 4, MsgHash: wire.Hash32{byte(i)}}
		var err error
		m.Signature, err = key.Sign(z.prefix, signing.SignBallot{Meta: m.InnerMsg})
		require.NoError(t, err)
	}
	return &wire.MalfeasanceProof{Layer: 4, Type: wire.MultipleBallots, Data: ballots}
}

func (z *fuzzed) gossiped(t *testing.T, topic bus.GossipTopic, body []byte) bool {
	t.Helper()
	j, err := bus.GossipIn(topic).Call(t.Context(), z.gossip, bus.PeerMessage{Peer: "peer", Body: body})
	require.NoError(t, err)
	return accepted(t, j)
}

func (z *fuzzed) fetched(t *testing.T, kind bus.Kind, hash wire.Hash32, body []byte) bool {
	t.Helper()
	j, err := bus.SyncIn(kind).Call(t.Context(), z.gossip, bus.FetchedObject{Peer: "peer", Hash: hash, Body: body})
	require.NoError(t, err)
	return accepted(t, j)
}

func accepted(t *testing.T, j bus.Judgement) bool {
	t.Helper()
	require.NotEqual(t, bus.Unknown, j.Verdict)
	if j.Verdict != bus.Accept {
		require.NotEmpty(t, j.Reason)
	}
	return j.Verdict == bus.Accept
}

// requireRecorded returns the ID of an ATX that was accepted. The signature of a
// second version that is stored already is not looked at (spec 04 §8.2), so that
// the bytes in store count.
func (z *fuzzed) requireRecorded(t *testing.T, body []byte) wire.Hash32 {
	t.Helper()
	m, err := atx.Decode(body, atx.Versions(z.cfg.Network.ATXVersions))
	require.NoError(t, err)
	var stored []byte
	require.NoError(t, z.db.QueryRow(t.Context(), "SELECT blob FROM atxs WHERE id = $1", m.ID[:]).Scan(&stored))
	require.True(t, z.atxs[string(stored)], "nobody made %x", body)
	return wire.Hash32(m.ID)
}

func (z *fuzzed) fuzzSign(t *testing.T, node wire.NodeID, body []byte) {
	if len(body) == 0 {
		return
	}
	domain, body := signing.Domain(body[0]), body[1:]
	r, err := bus.Sign(z.cfg.Holder).Call(t.Context(), z.gossip, bus.SignRequest{Items: []bus.SignItem{{NodeID: node, Domain: uint8(domain), Body: body}}})
	require.NoError(t, err)
	require.Len(t, r.Results, 1)
	result := r.Results[0]
	if result.Outcome != bus.Signed {
		require.Zero(t, result.Signature)
		return
	}
	require.True(t, z.keys[node])
	require.True(t, signing.NewVerifier(z.prefix).Verify(domain, node, body, result.Signature))
	slot := signedSlot{node, requestOf(domain, body).Slot()}
	if before, ok := z.signed[slot]; ok {
		require.Equal(t, before, string(body), "two signatures in %v", slot.slot)
	}
	z.signed[slot] = string(body)
}

func (z *fuzzed) fuzzVRF(t *testing.T, node wire.NodeID, message []byte) {
	r, err := bus.ProveVRF(z.cfg.Holder).Call(t.Context(), z.gossip, bus.VRFRequest{Items: []bus.VRFItem{{NodeID: node, Message: message}}})
	if len(message) > 1024 && err != nil {
		return // longer than any message of the protocol
	}
	require.NoError(t, err)
	require.Equal(t, z.keys[node], r.Results[0].Outcome == bus.Signed)
	require.Equal(t, z.keys[node], vrf.Verify(node, message, r.Results[0].Proof))
}
