package hare_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
)

func rule(t *testing.T, step hare.Step) hare.Rule {
	t.Helper()
	var broken *hare.RuleError
	require.True(t, errors.As(step.Err, &broken), "%v", step.Err)
	return broken.Rule
}

// A round above notify from an eligible identity stops upstream's process.
func TestRoundOutOfRangeIsDropped(t *testing.T) {
	for _, hare4 := range []bool{false, true} {
		h, _, _ := openSession(t, hare4)
		for round := wire.Notify + 1; round != 0; round++ {
			step := h.Handle("peer", raw(spoken(hare4, 1, wire.IterRound{Round: round}, 0)))
			require.Equal(t, hare.Ignore, step.Verdict)
			require.Equal(t, hare.RoundRange, rule(t, step))
		}
		runToEnd(t, h)
	}
}

// runToEnd executes every round of the session.
func runToEnd(t *testing.T, h *hare.Hare) (effects []hare.Effect) {
	t.Helper()
	for range 100 {
		at, ok := h.NextTick()
		if !ok {
			return effects
		}
		effects = append(effects, h.Tick(at)...)
	}
	t.Fatal("session does not end")
	return nil
}

// A preround list above what an answer may hold stops upstream's server.
func TestListTooLongToServeIsRefused(t *testing.T) {
	h, o, _ := openSession(t, true)
	for n := range wire.MaxCompactResponse + 1 {
		p := openProposal(9)
		p.ID = wire.ProposalID{9, byte(n >> 8), byte(n)}
		p.ATX = wire.ATXID(wire.Sum(p.ID[:]))
		p.FirstProof = &wire.VrfSignature{9, byte(n >> 8), byte(n)}
		require.NoError(t, o.proposals.Add(p))
	}
	m := spoken(true, 1, wire.IterRound{}, 0)
	for _, p := range o.proposals.Local(openLayer) {
		m.Body.Value.CompactProposals = append(m.Body.Value.CompactProposals, *p.Compact)
	}
	require.Greater(t, len(m.Body.Value.CompactProposals), wire.MaxCompactResponse)
	id := m.Body.Hash()
	require.Equal(t, hare.Accept, h.Handle("peer", raw(m)).Verdict)
	_, ok := h.Serve(id[:])
	require.False(t, ok)

	own := spoken(true, 2, wire.IterRound{}, 0)
	for _, p := range o.proposals.Local(openLayer) {
		own.Body.Value.Proposals = append(own.Body.Value.Proposals, p.ID)
	}
	require.Equal(t, hare.FetchFull, rule(t, h.Signed(own)))
}

// More proposals than a message holds are not said at all.
func TestSetTooLargeForAMessageIsNotSent(t *testing.T) {
	h, o, effects := openSession(t, false, wire.NodeID{7})
	o.seats[wire.NodeID{7}] = 3
	for n := range wire.MaxHareProposals {
		p := openProposal(9)
		p.ID = wire.ProposalID{9, byte(n >> 8), byte(n)}
		p.ATX = wire.ATXID(wire.Sum(p.ID[:]))
		require.NoError(t, o.proposals.Add(p))
	}
	prove := effects[1].(hare.Prove)
	require.Empty(t, h.Proofs(openLayer, prove.At, []hare.Proof{{Node: wire.NodeID{7}}}))
	require.Empty(t, h.Tick(genesisTime.Add(time.Second)))
}

// What is remembered of senders without proven seats has a bound.
func TestUnprovenMessagesDoNotPileUp(t *testing.T) {
	h, _, _ := openSession(t, true)
	served := 0
	var hashes []wire.Hash32
	for sender := range uint32(2000) {
		m := spoken(true, sender, wire.IterRound{}, 0)
		m.Body.Eligibility.Proof[0] = 0xff
		require.Equal(t, hare.ZeroGrade, rule(t, h.Handle("peer", raw(m))))
		hashes = append(hashes, m.Body.Hash())
	}
	for _, id := range hashes {
		if _, ok := h.Serve(id[:]); ok {
			served++
		}
	}
	require.Equal(t, 256, served)
}

// A peer cannot make messages with unknown compact ids pile up.
func TestWaitingMessagesAreBounded(t *testing.T) {
	h, _, _ := openSession(t, true)
	pending := map[hare.Peer]int{}
	var tickets []hare.Ticket
	for i := range uint32(3000) {
		m := spoken(true, i, wire.IterRound{}, 0)
		m.Body.Value.CompactProposals = []wire.CompactProposalID{{0xaa}}
		peer := hare.Peer(rune('a' + i%30))
		if step := h.Handle(peer, raw(m)); step.Verdict == hare.Pending {
			pending[peer]++
			tickets = append(tickets, step.Ticket)
		} else {
			require.Equal(t, hare.FetchFull, rule(t, step))
		}
	}
	require.Len(t, tickets, 256)
	for _, n := range pending {
		require.LessOrEqual(t, n, 16)
	}
	for _, ticket := range tickets {
		require.Equal(t, hare.FetchFull, rule(t, h.Fetched(ticket, nil, errPeer)))
		require.Equal(t, hare.FetchFull, rule(t, h.Fetched(ticket, nil, errPeer)))
	}
}

// Hare4 takes no preround in a layer without local proposals.
func TestCompactListWithoutLocalProposals(t *testing.T) {
	o := newOpen()
	h, err := hare.New(openParams(true), o, o)
	require.NoError(t, err)
	h.StartLayer(hare.LayerStart{Layer: openLayer, Start: genesisTime, Synced: true, Beacon: openBeacon()})
	require.Equal(t, hare.NoProposals, rule(t, h.Handle("peer", raw(spoken(true, 1, wire.IterRound{}, 0)))))
}

// The answer comes when its session is over.
func TestFetchedAfterTheSession(t *testing.T) {
	h, _, _ := openSession(t, true)
	m := spoken(true, 1, wire.IterRound{}, 0)
	m.Body.Value.CompactProposals = []wire.CompactProposalID{{0xaa}}
	step := h.Handle("peer", raw(m))
	require.Equal(t, hare.Pending, step.Verdict)
	runToEnd(t, h)
	require.Equal(t, hare.NotRegistered, rule(t, h.Fetched(step.Ticket, []byte{4, 0}, nil)))
}

// Messages of iterations that nobody reaches are passed on but bounded, and
// those that no tally reads keep no lists.
func TestIdleMessagesAreBounded(t *testing.T) {
	p := hare.NewProtocol(10, 4)
	kept := 0
	for sender := range uint32(70_000) {
		m := spoken(false, sender, wire.IterRound{Iter: 200, Round: wire.Propose}, 0)
		m.Body.Value.Proposals = make([]wire.ProposalID, 1)
		gossip, _ := p.Receive(hare.Input{Message: m, Hash: wire.Hash32{1}, Grade: 5})
		if gossip {
			kept++
		}
	}
	require.Equal(t, 1<<16, kept)
	// What is read still gets in.
	m := spoken(false, 1, wire.IterRound{}, 0)
	gossip, _ := p.Receive(hare.Input{Message: m, Hash: wire.Hash32{1}, Grade: 5})
	require.True(t, gossip)
}

// A proof is for the identity table only; hare does not gossip it.
func TestEquivocationIsReportedOnceAndNotGossiped(t *testing.T) {
	h, _, _ := openSession(t, false)
	at := wire.IterRound{Round: wire.Propose}
	require.Equal(t, hare.Accept, h.Handle("peer", raw(spoken(false, 1, at, 1))).Verdict)
	second := h.Handle("peer", raw(spoken(false, 1, at, 2)))
	require.Equal(t, hare.Accept, second.Verdict)
	require.Len(t, second.Effects, 1)
	require.Equal(t, spoken(false, 1, at, 2).Sender, second.Effects[0].(hare.Equivocation).Node)
	// The identity table has not caught up, yet the sender counts as known.
	commit := wire.IterRound{Round: wire.Commit}
	require.Equal(t, hare.Accept, h.Handle("peer", raw(spoken(false, 1, commit, 1))).Verdict)
	other := h.Handle("peer", raw(spoken(false, 1, commit, 2)))
	require.Equal(t, hare.GradedGossip, rule(t, other))
	require.Empty(t, other.Effects)
}

// The first iteration looks for its predecessor's commits at iteration 255, and
// so does everybody else.
func TestFirstCommitLooksAtIteration255(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		p := hare.NewProtocol(2, 4)
		hear := func(sender uint32, at wire.IterRound, list []wire.ProposalID, ref *wire.Hash32) {
			m := spoken(false, sender, at, 0)
			m.Body.Value = wire.HareValue{Proposals: list, Reference: ref}
			gossip, _ := p.Receive(hare.Input{Message: m, Hash: m.Body.Hash(), Grade: 5})
			require.True(t, gossip)
		}
		p.Execute() // preround
		part := []wire.ProposalID{{1}}
		for sender := range uint32(2) {
			hear(sender, wire.IterRound{}, []wire.ProposalID{{1}, {2}}, nil)
			if wrapped {
				at := wire.IterRound{Iter: 255, Round: wire.Commit}
				hear(sender, at, nil, new(hare.ListReference(part)))
			}
		}
		p.Execute() // softlock
		p.Execute() // propose
		hear(0, wire.IterRound{Round: wire.Propose}, part, nil)
		p.Execute() // wait1
		p.Execute() // wait2
		out := p.Execute()
		require.Equal(t, wire.Commit, out.At.Round)
		require.Equal(t, wrapped, out.Value != nil)
	}
}
