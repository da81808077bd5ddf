package hare_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
)

func seedMessages(f *testing.F) {
	for _, hare4 := range []bool{false, true} {
		for round := wire.Preround; round <= wire.Notify+1; round++ {
			m := spoken(hare4, uint32(round), wire.IterRound{Iter: uint8(round) % 3, Round: round}, 1)
			if round == wire.Preround || round == wire.Propose {
				m.Body.Value.Proposals = []wire.ProposalID{{1}, {1}, {9}}
			}
			if hare4 {
				m.Body.Value.CompactProposals = []wire.CompactProposalID{{1}, {7}}
			}
			f.Add(hare4, uint8(round), raw(m), []byte{0x54, 0x04, 1})
		}
	}
}

// FuzzHandle feeds a hostile message at any point of a session, lets the peer
// answer with anything, and runs the session to its end.
func FuzzHandle(f *testing.F) {
	seedMessages(f)
	f.Fuzz(func(t *testing.T, hare4 bool, rounds uint8, message, answer []byte) {
		h, _, _ := openSession(t, hare4)
		h.Tick(genesisTime.Add(time.Duration(rounds%32) * time.Second))
		for range 2 {
			step := h.Handle("peer", message)
			if step.Verdict == hare.Pending {
				require.True(t, hare4)
				step = h.Fetched(step.Ticket, answer, nil)
			}
			require.Equal(t, step.Verdict == hare.Accept, step.Err == nil)
			require.NotEqual(t, hare.Pending, step.Verdict)
		}
		h.Serve(answer)
		ended := 0
		for _, e := range runToEnd(t, h) {
			if _, ok := e.(hare.Ended); ok {
				ended++
			}
		}
		require.LessOrEqual(t, ended, 1)
	})
}

// FuzzProtocol plays a script of rounds and messages, a few bytes each.
func FuzzProtocol(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 0xff, 0, 1, 2, 3, 0xff, 0xff, 7, 7, 7, 7})
	f.Fuzz(func(t *testing.T, script []byte) {
		p := hare.NewProtocol(5, 4)
		results := 0
		for len(script) >= 4 {
			step := script[:4]
			script = script[4:]
			if step[0] == 0xff {
				if p.At().Iter > 20 {
					return
				}
				if p.Execute().Result != nil {
					results++
				}
				continue
			}
			at := wire.IterRound{Iter: step[0] >> 3 % 4, Round: wire.HareRound(step[0] & 7)}
			m := spoken(false, uint32(step[1]%8), at, step[2])
			m.Body.Eligibility.Count = uint16(step[3]) << 4
			if at.Round == wire.Preround || at.Round == wire.Propose {
				m.Body.Value.Proposals = []wire.ProposalID{{step[2] % 4}, {step[3] % 4}}
			} else if at.Round >= wire.Commit {
				list := []wire.ProposalID{{step[2] % 4}, {step[3] % 4}}
				m.Body.Value.Reference = new(hare.ListReference(list))
			}
			in := hare.Input{Message: m, Hash: m.Body.Hash(), Grade: step[3] % 6, Malicious: step[1] > 200}
			gossip, proof := p.Receive(in)
			require.True(t, gossip || proof == nil)
			again, proof := p.Receive(in)
			require.False(t, again && proof == nil, "the same message is news twice")
		}
		require.LessOrEqual(t, results, 1)
	})
}

// FuzzDecodeResponse reads what a peer answers to a full exchange.
func FuzzDecodeResponse(f *testing.F) {
	f.Add([]byte{4, 0})
	f.Add([]byte{0x02, 0x09, 0x3d, 0x00})
	f.Fuzz(func(t *testing.T, response []byte) {
		list, err := hare.DecodeResponse(response)
		if err != nil {
			return
		}
		body := codec.MustEncode(&wire.CompactIdResponse{Ids: list})
		again, err := hare.DecodeResponse(append(codec.AppendCompact(nil, uint64(len(body))), body...))
		require.NoError(t, err)
		require.Equal(t, list, again)
	})
}
