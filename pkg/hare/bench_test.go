package hare_test

import (
	"testing"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// layerTraffic is a layer of mainnet's shape: preround and commit of many
// senders, with the given number of proposals.
func layerTraffic(messages, proposals int) (out [][]byte) {
	list := make([]wire.ProposalID, proposals)
	for i := range list {
		list[i] = wire.ProposalID{byte(i), byte(i >> 8)}
	}
	for i := range messages {
		at := wire.IterRound{Round: wire.Preround}
		if i%2 == 1 {
			at.Round = wire.Commit
		}
		m := spoken(false, uint32(i), at, 1)
		if at.Round == wire.Preround {
			m.Body.Value.Proposals = list
		}
		out = append(out, raw(m))
	}
	return out
}

// BenchmarkHandle1000 is the cost of the state machine and the handler without
// cryptography.
func BenchmarkHandle1000(b *testing.B) {
	traffic := layerTraffic(1000, 50)
	b.ReportAllocs()
	for b.Loop() {
		h, _, _ := openSession(b, false)
		for _, message := range traffic {
			if h.Handle("peer", message).Verdict != hare.Accept {
				b.Fatal("not accepted")
			}
		}
	}
}

// BenchmarkHandleVerified is one message with its signature, its proof and its
// seats checked.
func BenchmarkHandleVerified(b *testing.B) {
	s, message := verifiedMessage()
	b.ReportAllocs()
	for b.Loop() {
		n := newNode(b, s, false)
		n.start()
		if step := n.Handle("peer", message); step.Verdict != hare.Accept {
			b.Fatal(step.Err)
		}
	}
}

func verifiedMessage() (setting, []byte) {
	key := signing.NewKey([32]byte{1})
	id := key.NodeID()
	s := setting{
		GenesisID: make([]byte, 20), EffectiveGenesis: 19, LayersPerEpoch: 10, Layer: openLayer,
		Committee: 50, Leaders: 50, IterationsLimit: 4, Confidence: 1, Beacon: []byte{1, 2, 3, 4},
		Identities: []identity{{ATX: make([]byte, 32), NodeID: id[:], Weight: 1000}},
	}
	m := spoken(false, 0, wire.IterRound{Round: wire.Propose}, 0)
	m.Sender = id
	at := m.Body.Absolute()
	m.Body.Eligibility.Proof = vrf.Prove(key.Seed(), eligibility.Message(wire.Beacon{1, 2, 3, 4}, at, openLayer))
	count, err := s.oracle().Count(eligibility.Seat{
		Layer: openLayer, Round: at, Committee: 50, Node: id, Proof: m.Body.Eligibility.Proof,
	})
	if err != nil {
		panic(err)
	}
	m.Body.Eligibility.Count = count
	if m.Signature, err = key.Sign(s.GenesisID, signing.SignHare{Meta: m.Body.Metadata()}); err != nil {
		panic(err)
	}
	return s, raw(m)
}

// BenchmarkExecuteIteration runs the tallies of an iteration over a full
// committee of testnet's size.
func BenchmarkExecuteIteration(b *testing.B) {
	list := make([]wire.ProposalID, 50)
	for i := range list {
		list[i] = wire.ProposalID{byte(i)}
	}
	b.ReportAllocs()
	for b.Loop() {
		p := hare.NewProtocol(800, 4)
		p.Execute()
		for sender := range uint32(800) {
			m := spoken(false, sender, wire.IterRound{}, 0)
			m.Body.Value.Proposals = list
			p.Receive(hare.Input{Message: m, Hash: wire.Hash32{1}, Grade: 5})
		}
		for p.At().Iter == 0 {
			p.Execute()
		}
	}
}
