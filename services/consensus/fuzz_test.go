package consensus_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Requests of FuzzRequests.
const (
	askBallot = iota
	askActiveSet
	askTell
	askCertificate
	askProcess
	askKinds
)

// fuzzed is a service in the middle of a recorded network, and what only the
// recorded identities could sign.
type fuzzed struct {
	*world
	recorded    *recorded
	now         wire.LayerID
	ballots     map[wire.BallotID]*wire.Ballot
	certified   map[wire.CertifyMessage]bool
	certificate []byte
}

func newFuzzed(f *testing.F) *fuzzed {
	r := readRecording(f, vectors.Recordings(f)[0])
	z := &fuzzed{world: newWorld(f, r.params), recorded: r, ballots: map[wire.BallotID]*wire.Ballot{}, certified: map[wire.CertifyMessage]bool{}}
	z.at(z.genesis)
	z.start()
	r.feedBase(z.world)
	fed := 0
	for _, l := range r.layers {
		if l.Layer > z.genesis && fed < 6 {
			r.feed(z.world, l)
			fed++
			z.now = l.Layer
		}
	}
	z.now++
	z.at(z.now)
	for layer, rows := range r.ballots {
		for _, b := range rows {
			ballot := new(wire.Ballot)
			require.NoError(f, codec.Decode(b.Blob, ballot))
			z.ballots[ballot.ID()] = ballot
		}
		for _, c := range r.certificates[layer] {
			var m wire.Certificate
			if c.Blob == nil {
				continue
			}
			require.NoError(f, codec.Decode(c.Blob, &m))
			for _, s := range m.Signatures {
				z.certified[s] = true
			}
			z.certificate = c.Blob
		}
	}
	require.NotEmpty(f, z.certified)
	return z
}

// FuzzRequests hands a running service any bytes in any request. It never fails
// at them, gives no verdict without a reason, and accepts only what the recorded
// identities signed and what bears the name under which it was asked for.
func FuzzRequests(f *testing.F) {
	z := newFuzzed(f)
	add := func(kind uint8, body []byte) { f.Add(kind, true, []byte(nil), uint32(z.now), body) }
	for _, layer := range []wire.LayerID{z.now - 2, z.now, z.now + 1} {
		require.NotEmpty(f, z.recorded.ballots[layer])
		add(askBallot, z.recorded.ballots[layer][0].Blob)
	}
	add(askActiveSet, z.recorded.sets[0].Blob)
	f.Add(uint8(askActiveSet), false, []byte{1}, uint32(0), []byte(z.recorded.sets[0].Blob))
	add(askCertificate, z.certificate)
	id, coin := wire.BlockID{7}, true
	for _, layer := range []wire.LayerID{1, z.now, 1 << 31} {
		add(askTell, codec.MustEncode(&bus.LayerNews{Layer: layer, Output: &id, Coin: &coin}))
		add(askTell, codec.MustEncode(&bus.LayerNews{Layer: layer, Certificate: z.certificate}))
		add(askProcess, codec.MustEncode(&bus.ProcessRequest{Layer: layer}))
	}
	f.Fuzz(func(t *testing.T, kind uint8, named bool, name []byte, layer uint32, body []byte) {
		switch kind % askKinds {
		case askBallot:
			z.fuzzBallot(t, named, name, body)
		case askActiveSet:
			z.fuzzActiveSet(t, named, name, body)
		case askTell:
			var n bus.LayerNews
			if codec.Decode(body, &n) == nil {
				z.fuzzTell(t, n)
			}
		case askCertificate:
			z.fuzzTell(t, bus.LayerNews{Layer: wire.LayerID(layer), Certificate: body})
		case askProcess:
			var r bus.ProcessRequest
			if codec.Decode(body, &r) == nil {
				z.fuzzProcess(t, r)
			}
		}
	})
}

func (z *fuzzed) offerAny(t *testing.T, kind bus.Kind, hash wire.Hash32, body []byte) bool {
	t.Helper()
	j, err := bus.SyncIn(kind).Call(t.Context(), z.gossip, bus.FetchedObject{Hash: hash, Body: body})
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

// nameOf is the name that the sender would give, or any.
func nameOf(right bool, any []byte, own wire.Hash32) (h wire.Hash32) {
	if right {
		return own
	}
	copy(h[:], any)
	return h
}

// fuzzBallot: a signature does not cover proofs of eligibility, so that anybody
// may leave some out; nobody can add any.
func (z *fuzzed) fuzzBallot(t *testing.T, named bool, name, body []byte) {
	var b wire.Ballot
	malformed := codec.Decode(body, &b) != nil
	var own wire.Hash32
	if !malformed {
		own = wire.Pad32(b.ID())
	}
	hash := nameOf(named, name, own)
	if !z.offerAny(t, bus.KindBallot, hash, body) {
		return
	}
	require.Equal(t, own, hash)
	id := b.ID()
	signed := z.ballots[id]
	require.NotNil(t, signed, "nobody signed %x", body)
	var blob []byte
	require.NoError(t, z.db.QueryRow(t.Context(), "SELECT blob FROM ballots WHERE id = $1", id[:]).Scan(&blob))
	var stored wire.Ballot
	require.NoError(t, codec.Decode(blob, &stored))
	require.Subset(t, signed.EligibilityProofs, stored.EligibilityProofs)
	stored.EligibilityProofs = signed.EligibilityProofs
	require.Equal(t, signed, &stored)
}

func (z *fuzzed) fuzzActiveSet(t *testing.T, named bool, name, body []byte) {
	var s wire.EpochActiveSet
	malformed := codec.Decode(body, &s) != nil
	hash := nameOf(named, name, s.Hash())
	if z.offerAny(t, bus.KindActiveSet, hash, body) {
		require.False(t, malformed)
		require.Equal(t, s.Hash(), hash)
		require.Equal(t, body, codec.MustEncode(&s))
	}
}

// fuzzTell: a certificate needs enough messages that were really signed; whose
// they are and for which layer is not compared (spec 06 §11.4).
func (z *fuzzed) fuzzTell(t *testing.T, n bus.LayerNews) {
	j, err := bus.TellLayer().Call(t.Context(), z.gossip, n)
	if n.Layer > z.now {
		require.ErrorIs(t, err, bus.BadRequest)
		return
	}
	require.NoError(t, err)
	if !accepted(t, j) || len(n.Certificate) == 0 {
		return
	}
	var m wire.Certificate
	require.NoError(t, codec.Decode(n.Certificate, &m))
	var sum uint16
	for _, s := range m.Signatures {
		if z.certified[s] {
			sum += s.EligibilityCnt
		}
	}
	require.GreaterOrEqual(t, int(sum), int(z.params.Hare3.Committee)/2+1)
}

func (z *fuzzed) fuzzProcess(t *testing.T, r bus.ProcessRequest) {
	reply, err := bus.ProcessLayer().Call(t.Context(), z.gossip, r)
	if r.Layer > z.now {
		require.True(t, errors.Is(err, bus.BadRequest), "%v", err)
		return
	}
	require.NoError(t, err)
	require.LessOrEqual(t, reply.Processed, z.now)
	require.LessOrEqual(t, reply.Verified, reply.Processed)
	again, err := bus.ProcessLayer().Call(t.Context(), z.gossip, r)
	require.NoError(t, err)
	require.Equal(t, reply.Processed, again.Processed)
}
