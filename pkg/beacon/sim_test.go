package beacon

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

func identity(i int) wire.NodeID { return wire.NodeID{byte(i), byte(i >> 8), 0xaa} }

// crowd makes a chain on which n honest identities have ATXs for the epochs.
func crowd(p Params, n int, epochs ...wire.EpochID) *chain {
	c := &chain{atxs: map[wire.EpochID][]ATX{}, nonces: map[wire.NodeID]uint64{}, stored: map[wire.EpochID]wire.Beacon{}}
	for i := range n {
		c.nonces[identity(i)] = uint64(i)
		for _, e := range epochs {
			c.atxs[e] = append(c.atxs[e], ATX{
				ID: wire.ATXID{byte(i), byte(i >> 8)}, Node: identity(i), Weight: uint64(10 + i), Units: uint32(1 + i%4),
				Received: p.epochStart(e).Add(-time.Hour),
			})
		}
	}
	return c
}

func TestNodesThatHearEachOtherAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := testParams(rapid.Uint32Range(1, 6).Draw(rt, "rounds"), time.Second)
		people := rapid.IntRange(1, 20).Draw(rt, "identities")
		state := crowd(p, people, 3, 4)
		w := &world{t: t, chain: state, keys: fakeKeys{}}
		nodes := rapid.IntRange(1, 4).Draw(rt, "nodes")
		locals := make([][]wire.NodeID, nodes)
		for i := range people {
			to := rapid.IntRange(0, nodes-1).Draw(rt, "node")
			locals[to] = append(locals[to], identity(i))
		}
		for _, l := range locals {
			w.add(p.epochStart(3).Add(-time.Second), p, l...)
		}
		w.run(p.epochStart(5).Add(-time.Second))
		first := w.nodes[0].records
		require.Len(rt, first, 2, "an epoch each")
		for _, n := range w.nodes {
			require.Equal(rt, first, n.records)
			require.Equal(rt, Idle, n.Phase())
			require.Empty(rt, n.epochs, "nothing is left behind")
		}
	})
}

func TestNodesSurviveLoss(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := testParams(4, time.Second)
		w := &world{t: t, chain: crowd(p, 9, 3), keys: fakeKeys{}}
		drops := rapid.SliceOfN(rapid.Bool(), 50, 50).Draw(rt, "drops")
		seen := 0
		w.deliver = func(letter, int) bool {
			seen++
			return !drops[seen%len(drops)]
		}
		for i := range 3 {
			w.add(p.epochStart(3).Add(-time.Second), p, identity(3*i), identity(3*i+1), identity(3*i+2))
		}
		w.run(p.epochStart(4))
		for _, n := range w.nodes {
			require.LessOrEqual(rt, len(n.records), 1)
			require.Empty(rt, n.epochs)
		}
	})
}

// start puts a node into the proposal phase of epoch 3.
func start(t testing.TB, p Params, state *chain, locals ...wire.NodeID) (*Protocol, time.Time, Effects) {
	t.Helper()
	at := p.epochStart(3)
	protocol, _ := New(at.Add(-time.Second), p, state, fakeKeys{})
	protocol.SetSync(true, true)
	for _, id := range locals {
		protocol.Join(id)
	}
	effects, err := protocol.Tick(at)
	require.NoError(t, err)
	return protocol, at, effects
}

func proposalOf(p *Protocol, id wire.NodeID, nonce uint64) []byte {
	m := wire.BeaconProposalMessage{EpochID: p.running.epoch, NodeID: id}
	copy(m.VRFSignature[:], fakeKeys{}.answer(nil, Request{Kind: SignProposal, Node: id, Messages: [][]byte{proposalInput(nonce, m.EpochID)}})[0])
	return codec.MustEncode(&m)
}

func firstVoteOf(epoch wire.EpochID, id wire.NodeID, valid ...Proposal) []byte {
	body := wire.FirstVotingMessageBody{EpochID: epoch, ValidProposals: valid}
	raw := codec.MustEncode(&body)
	sig := fakeKeys{}.answer(nil, Request{Kind: SignFirstVote, Node: id, Messages: [][]byte{raw}})[0]
	return slices.Concat(raw, id[:], sig)
}

// Upstream fails to encode votes on more than 1000 proposals (spec 05 §21.8).
func TestVotesOnTooManyProposalsAreCut(t *testing.T) {
	p := testParams(4, time.Second)
	protocol, at, _ := start(t, p, crowd(p, 3, 3), identity(0))
	for i := range 2500 {
		protocol.running.addValid(Proposal{byte(i), byte(i >> 8)})
		protocol.running.addPotential(Proposal{byte(i), byte(i >> 8)})
	}
	effects, err := protocol.Tick(at.Add(p.ProposalDuration))
	require.NoError(t, err)
	require.Len(t, effects.Sign, 1)
	var body wire.FirstVotingMessageBody
	require.NoError(t, codec.Decode(effects.Sign[0].Messages[0], &body))
	require.Len(t, body.ValidProposals, wire.MaxBeaconProposals)
	require.Len(t, body.PotentiallyValidProposals, wire.MaxBeaconProposals)
	voted, err := protocol.Answer(at.Add(p.ProposalDuration), effects.Sign[0], fakeKeys{}.answer(t, effects.Sign[0]))
	require.NoError(t, err)
	require.Len(t, voted.Publish, 1)
	require.Len(t, protocol.running.voters[identity(0)].first, p.VotesLimit)
}

// Upstream spins until the next epoch when it wakes behind the first layer (§21.11).
func TestNodeThatWakesLateWaitsForTheNextEpoch(t *testing.T) {
	p := testParams(4, time.Second)
	protocol, _ := New(p.epochStart(3).Add(-time.Second), p, crowd(p, 3, 3), fakeKeys{})
	protocol.SetSync(true, true)
	effects, err := protocol.Tick(p.epochStart(3).Add(p.Clock.LayerDuration))
	require.NoError(t, err)
	require.Equal(t, Idle, protocol.Phase())
	require.Equal(t, p.epochStart(4), effects.WakeAt)
}

func TestUnsyncedNodeAndGenesisSitOut(t *testing.T) {
	p := testParams(4, time.Second)
	protocol, _ := New(p.Clock.Genesis, p, crowd(p, 3, 1, 2, 3), fakeKeys{})
	protocol.SetSync(true, true)
	_, err := protocol.Tick(p.epochStart(1))
	require.NoError(t, err)
	require.Equal(t, Idle, protocol.Phase(), "epoch 1 is genesis")
	protocol.SetSync(false, true)
	_, err = protocol.Tick(p.epochStart(2))
	require.NoError(t, err)
	require.Equal(t, Idle, protocol.Phase())
}

// A value that is proposed again loses the votes it had (§21.7).
func TestProposalOfTheSameValueResetsItsMargin(t *testing.T) {
	p := testParams(4, time.Second)
	protocol, at, _ := start(t, p, crowd(p, 3, 3))
	out, _ := protocol.Handle(at, TopicProposal, proposalOf(protocol, identity(1), 1))
	require.Equal(t, Accept, out.Verdict)
	value := protocol.running.valid.sorted()[0]
	out, _ = protocol.Handle(at, TopicFirstVote, firstVoteOf(3, identity(2), value))
	require.Equal(t, Accept, out.Verdict)
	require.Equal(t, "12", protocol.running.margins[value].Big().String())
	protocol.running.addValid(value)
	require.Equal(t, "0", protocol.running.margins[value].Big().String())
}

// An identity without an ATX is marked before it is looked up, but peers can make
// up no more than a bounded number of them.
func TestStrangersAreMarkedUpToABound(t *testing.T) {
	p := testParams(4, time.Second)
	protocol, at, _ := start(t, p, crowd(p, 3, 3))
	stranger := wire.NodeID{9, 9, 9}
	out, _ := protocol.Handle(at, TopicFirstVote, firstVoteOf(3, stranger))
	require.Equal(t, ignored(RuleNotActive), out)
	protocol.StoredATX(3, ATX{Node: stranger, Weight: 5})
	out, _ = protocol.Handle(at, TopicFirstVote, firstVoteOf(3, stranger))
	require.Equal(t, ignored(RuleRepeated), out)
	protocol.running.strangers = maxStrangers
	out, _ = protocol.Handle(at, TopicFirstVote, firstVoteOf(3, wire.NodeID{8}))
	require.Equal(t, ignored(RuleNotActive), out)
	require.NotContains(t, protocol.running.voters, wire.NodeID{8})
}

func TestFailuresOfOursBlameNobody(t *testing.T) {
	p := testParams(4, time.Second)
	state := crowd(p, 3, 3)
	protocol, at, _ := start(t, p, state)
	raw := proposalOf(protocol, identity(1), 1)
	state.err = bytes.ErrTooLarge
	out, _ := protocol.Handle(at, TopicProposal, raw)
	require.Equal(t, Unknown, out.Verdict)
	require.ErrorIs(t, out.Err, bytes.ErrTooLarge)
	state.err = nil
	out, _ = protocol.Handle(at, TopicProposal, raw)
	require.Equal(t, Accept, out.Verdict)
}

func TestGates(t *testing.T) {
	p := testParams(4, time.Second)
	protocol, at, _ := start(t, p, crowd(p, 3, 3))
	protocol.SetSync(true, false)
	out, _ := protocol.Handle(at, TopicProposal, nil)
	require.Equal(t, ignored(RuleNotListening), out)
	protocol.SetSync(true, true)
	out, _ = protocol.Handle(at, "xx1", nil)
	require.Equal(t, ignored(RuleUnknownTopic), out)
	p.Rounds = 0
	off, _ := New(at, p, crowd(p, 3, 3), fakeKeys{})
	off.SetSync(true, true)
	_, err := off.Tick(p.epochStart(4))
	require.NoError(t, err)
	require.Equal(t, Idle, off.Phase())
	out, _ = off.Handle(at, TopicProposal, nil)
	require.Equal(t, ignored(RuleNotRunning), out)
}

func TestSourcesOfABeacon(t *testing.T) {
	p := testParams(4, time.Second)
	state := crowd(p, 3, 3)
	protocol, _ := New(p.epochStart(4), p, state, fakeKeys{})
	report := BallotReport{Ballot: wire.BallotID{1}, Beacon: wire.Beacon{7}, Proofs: 20, Per: EligibilityWeight(100, 3)}
	effects, err := protocol.ReportBallot(4, report)
	require.NoError(t, err)
	learned := Record{Epoch: 4, Beacon: wire.Beacon{7}}
	require.Equal(t, []Record{learned}, effects.Persist)
	require.Equal(t, []Record{learned}, effects.Events)

	var conflict *ConflictError
	require.ErrorAs(t, protocol.learn(4, wire.Beacon{8}), &conflict)
	require.NoError(t, protocol.learn(4, wire.Beacon{7}))
	require.Empty(t, protocol.take().Persist)

	effects = protocol.Fallback(4, wire.Beacon{9})
	require.Equal(t, []Record{{Epoch: 4, Beacon: wire.Beacon{9}, Overwrite: true}}, effects.Persist)
	require.Empty(t, protocol.Fallback(4, wire.Beacon{}).Persist)
	require.Error(t, protocol.learn(4, wire.Beacon{7}), "a computed beacon does not replace it")

	report.Ballot, report.Beacon = wire.BallotID{2}, wire.Beacon{}
	effects, err = protocol.ReportBallot(5, report)
	require.NoError(t, err)
	require.Empty(t, effects.Persist, "an all-zero beacon is none")
}

// What a node knows after a restart is what it had persisted.
func TestRestoreKnowsWhatWasPersisted(t *testing.T) {
	p := testParams(3, time.Second)
	state := crowd(p, 4, 3)
	w := &world{t: t, chain: state, keys: fakeKeys{}}
	n := w.add(p.epochStart(3).Add(-time.Second), p, identity(0), identity(1), identity(2), identity(3))
	for now := p.epochStart(3).Add(-time.Second); now.Before(p.epochStart(4)); now = now.Add(time.Second) {
		w.run(now)
		for _, r := range n.records {
			if _, known := state.stored[r.Epoch]; !known || r.Overwrite {
				state.stored[r.Epoch] = r.Beacon
			}
		}
		again, effects := New(now, p, state, fakeKeys{})
		require.Empty(t, effects.Sign, "a restarted node signs nothing in the epoch")
		want, wantOK, _ := n.Beacon(4)
		got, gotOK, err := again.Beacon(4)
		require.NoError(t, err)
		require.Equal(t, wantOK, gotOK)
		require.Equal(t, want, got)
		require.Equal(t, Idle, again.Phase())
	}
	require.Len(t, n.records, 1)
}

func TestLateAnswersAreDropped(t *testing.T) {
	p := testParams(4, time.Second)
	protocol, at, effects := start(t, p, crowd(p, 3, 3), identity(0))
	require.Len(t, effects.Sign, 1)
	answer := fakeKeys{}.answer(t, effects.Sign[0])
	bad, err := protocol.Answer(at, effects.Sign[0], [][]byte{{1}})
	require.Error(t, err)
	require.Empty(t, bad.Publish)
	protocol.becomeIdle()
	late, err := protocol.Answer(at, effects.Sign[0], answer)
	require.NoError(t, err)
	require.Empty(t, late.Publish)
}

func FuzzHandle(f *testing.F) {
	p := testParams(4, time.Second)
	protocol, at, _ := start(f, p, crowd(p, 3, 3))
	f.Add(uint8(0), proposalOf(protocol, identity(1), 1))
	f.Add(uint8(1), firstVoteOf(3, identity(1), Proposal{1}, Proposal{1}))
	f.Add(uint8(3), codec.MustEncode(&wire.WeakCoinMessage{Epoch: 3, Round: 1}))
	topics := []string{TopicProposal, TopicFirstVote, TopicVote, TopicWeakCoin}
	f.Fuzz(func(t *testing.T, topic uint8, raw []byte) {
		protocol, _, _ := start(t, p, crowd(p, 3, 3))
		protocol.verifier = trusting{}
		for round := range uint32(3) {
			protocol.round = round
			out, effects := protocol.Handle(at.Add(time.Second), topics[topic%4], raw)
			require.NotEqual(t, Unknown, out.Verdict)
			require.Equal(t, out.Verdict == Accept, out.Err == nil)
			require.Empty(t, effects.Publish)
			require.Empty(t, effects.Persist)
		}
	})
}

// trusting lets the fuzzer past the signatures.
type trusting struct{}

func (trusting) VerifyVRF(wire.NodeID, []byte, wire.VrfSignature) bool      { return true }
func (trusting) VerifyFirstVote(wire.NodeID, []byte, wire.EdSignature) bool { return true }
func (trusting) VerifyVote(wire.NodeID, []byte, wire.EdSignature) bool      { return true }

// bigDecode is the bit vector read as spec 05 §16.3 writes it down.
func bigDecode(first []Proposal, vector []byte) (support, against []Proposal) {
	for i, p := range first {
		value := slices.Clone(vector)
		slices.Reverse(value)
		if i/8 < len(value) && value[i/8]&(1<<(i%8)) != 0 {
			support = append(support, p)
		} else {
			against = append(against, p)
		}
	}
	return support, against
}

func TestVotesSurviveTheirBits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 100).Draw(rt, "entries")
		var first, support []Proposal
		for i := range n {
			first = append(first, Proposal{byte(i), 1})
			if rapid.Bool().Draw(rt, "support") {
				support = append(support, first[i])
			}
		}
		bits := EncodeVotes(first, support)
		if len(bits) > 0 {
			require.NotZero(rt, bits[0])
		}
		got, _ := DecodeVotes(first, bits)
		require.Equal(rt, support, got)
		noise := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "noise")
		wantFor, wantAgainst := bigDecode(first, noise)
		gotFor, gotAgainst := DecodeVotes(first, noise)
		require.Equal(rt, wantFor, gotFor)
		require.Equal(rt, wantAgainst, gotAgainst)
	})
}

func BenchmarkThreshold(b *testing.B) {
	p := testParams(4, time.Second)
	b.ReportAllocs()
	for b.Loop() {
		NewThreshold(p.Kappa, p.Q, 1_000_000)
	}
}

func BenchmarkFollowingVote(b *testing.B) {
	p := testParams(4, time.Second)
	protocol, at, _ := start(b, p, crowd(p, 3, 3))
	protocol.verifier = trusting{}
	var list []Proposal
	for i := range 60 {
		list = append(list, Proposal{byte(i)})
		protocol.running.addValid(list[i])
	}
	protocol.Handle(at, TopicFirstVote, firstVoteOf(3, identity(1), list...))
	body := wire.FollowingVotingMessageBody{EpochID: 3, RoundID: 1, VotesBitVector: EncodeVotes(list, list[:40])}
	id := identity(1)
	raw := slices.Concat(codec.MustEncode(&body), id[:], make([]byte, 64))
	protocol.round = 1
	b.ReportAllocs()
	for b.Loop() {
		clear(protocol.running.voters[id].rounds)
		protocol.Handle(at, TopicVote, raw)
	}
}

func BenchmarkEpochState(b *testing.B) {
	p := testParams(4, time.Second)
	protocol, _ := New(p.epochStart(2), p, crowd(p, 60_000, 3), fakeKeys{})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = protocol.newEpochState(3)
	}
}
