package hare_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

type sentMessage struct {
	Msg      vectors.Hex
	Node     int
	Withheld bool
}

type sessionCase struct {
	setting
	Nodes []struct {
		Coin      *bool
		InCharge  bool `json:"hare_in_charge_after"`
		Proposals []vectors.Hex
		Result    *[]vectors.Hex
		ResultAt  *[2]uint8 `json:"result_at"`
		Signers   []vectors.Hex
	}
	Rounds []struct {
		Iter, Round uint8
		Sent        []sentMessage
	}
}

// participant is a node with its keys, and what came out of it.
type participant struct {
	*node
	hare4    bool
	keys     map[wire.NodeID]signing.Key
	charge   bool
	coin     *bool
	result   *[]wire.ProposalID
	resultAt [2]uint8
	ended    bool
	signed   []*wire.HareMessage // of the last round
}

// do performs effects until nothing is left to answer.
func (p *participant) do(t *testing.T, at [2]uint8, effects []hare.Effect) {
	t.Helper()
	p.apply(effects)
	for _, effect := range effects {
		switch e := effect.(type) {
		case hare.Prove:
			proofs := make([]hare.Proof, 0, len(e.Identities))
			for _, id := range e.Identities {
				proofs = append(proofs, hare.Proof{Node: id, Proof: vrf.Prove(p.keys[id].Seed(), e.Message)})
			}
			p.do(t, at, p.Proofs(e.Layer, e.At, proofs))
		case hare.Sign:
			require.Equal(t, roundAt(at), e.At)
			for _, m := range e.Messages {
				p.sign(t, m)
			}
		case hare.TakeCharge:
			p.charge = true
		case hare.ReleaseCharge:
			p.charge = false
		case hare.WeakCoin:
			require.Nil(t, p.coin)
			p.coin = new(e.Coin)
		case hare.Result:
			require.Nil(t, p.result)
			p.result, p.resultAt = new(e.Proposals), at
		case hare.Ended:
			require.Equal(t, p.result == nil, e.Err != nil)
			p.ended = true
		default:
			t.Fatalf("unexpected effect %T", effect)
		}
	}
}

func (p *participant) sign(t *testing.T, m *wire.HareMessage) {
	t.Helper()
	meta := m.Body.Metadata()
	sig, err := p.keys[m.Sender].Sign(p.setting.GenesisID, signing.SignHare{Meta: meta})
	require.NoError(t, err)
	m.Signature = sig
	p.signed = append(p.signed, m)
}

func (c sessionCase) participants(t *testing.T, hare4 bool) (out []*participant) {
	seeds := map[wire.NodeID]signing.Key{}
	for _, id := range c.Identities {
		seeds[wire.NodeID(id.NodeID)] = signing.NewKey([32]byte(id.PrivateKey[:32]))
	}
	for _, spec := range c.Nodes {
		p := &participant{node: newNode(t, c.setting, hare4), hare4: hare4, keys: seeds}
		p.held = map[wire.ProposalID]bool{}
		for _, id := range spec.Proposals {
			p.held[wire.ProposalID(id)] = true
		}
		out = append(out, p)
	}
	return out
}

// published matches what the participant wants to send with what was sent, and
// returns it in wire form with whether it was withheld.
func (p *participant) published(t *testing.T, sent []sentMessage) (out []sentMessage, own []*wire.HareMessage) {
	t.Helper()
	require.Len(t, p.signed, len(sent))
	for _, m := range p.signed {
		wired, err := p.WireForm(m)
		require.NoError(t, err)
		i := slices.IndexFunc(sent, func(s sentMessage) bool {
			want, err := wire.DecodeHare(s.Msg, p.hare4)
			require.NoError(t, err)
			return want.Sender == m.Sender
		})
		require.GreaterOrEqual(t, i, 0, "nothing of %v was sent", m.Sender)
		raw := codec.MustEncode(wired)
		want, err := wire.DecodeHare(sent[i].Msg, p.hare4)
		require.NoError(t, err)
		if !p.hare4 && m.Body.Round == wire.Preround {
			require.ElementsMatch(t, want.Body.Value.Proposals, wired.Body.Value.Proposals)
			require.Equal(t, want.Body.Eligibility, wired.Body.Eligibility)
		} else {
			require.Equal(t, sent[i].Msg.String(), vectors.Hex(raw).String())
		}
		out = append(out, sentMessage{Msg: raw, Withheld: sent[i].Withheld})
		own = append(own, m)
	}
	return out, own
}

func (c sessionCase) run(t *testing.T, hare4 bool) {
	nodes := c.participants(t, hare4)
	for i, p := range nodes {
		var signers []wire.NodeID
		for _, id := range c.Nodes[i].Signers {
			signers = append(signers, wire.NodeID(id))
		}
		p.do(t, [2]uint8{}, p.start(signers...))
	}
	for _, round := range c.Rounds {
		at := [2]uint8{round.Iter, round.Round}
		now := genesisTime.Add(nodes[0].Params().RoundStart(roundAt(at)))
		var gossip [][]byte
		for i, p := range nodes {
			p.do(t, at, p.Tick(now))
			var sent []sentMessage
			for _, s := range round.Sent {
				if s.Node == i {
					sent = append(sent, s)
				}
			}
			published, own := p.published(t, sent)
			p.signed = nil
			for j, m := range published {
				if m.Withheld {
					continue
				}
				step := p.Signed(own[j])
				if len(p.LocalProposals(c.Layer)) == 0 && hare4 && own[j].Body.Round == wire.Preround {
					require.Equal(t, hare.Ignore, step.Verdict)
					continue
				}
				require.Equal(t, hare.Accept, step.Verdict, "%v", step.Err)
				require.Equal(t, []hare.Effect{hare.Publish{Topic: "/h/test", Message: m.Msg}}, step.Effects)
				gossip = append(gossip, m.Msg)
			}
		}
		deliver(t, nodes, gossip)
	}
	c.checkEnd(t, nodes)
}

func deliver(t *testing.T, nodes []*participant, gossip [][]byte) {
	for _, p := range nodes {
		for _, raw := range gossip {
			// A full exchange is answered by any node that remembers the message.
			step := p.Handle("peer", raw)
			if step.Verdict == hare.Pending {
				fetch := step.Effects[0].(hare.Fetch)
				for _, other := range nodes {
					if answer, ok := other.Serve(fetch.Request[:]); ok {
						step = p.Fetched(fetch.Ticket, answer, nil)
						break
					}
				}
			}
			require.NotEqual(t, hare.Reject, step.Verdict, "%v", step.Err)
			require.NotEqual(t, hare.Pending, step.Verdict)
		}
	}
}

func (c sessionCase) checkEnd(t *testing.T, nodes []*participant) {
	t.Helper()
	for i, p := range nodes {
		want := c.Nodes[i]
		require.True(t, p.ended)
		require.Empty(t, p.Layers())
		require.Equal(t, want.InCharge, p.charge)
		require.Equal(t, want.Coin, p.coin)
		require.Equal(t, want.Result == nil, p.result == nil)
		if want.Result == nil {
			continue
		}
		require.Equal(t, *want.ResultAt, p.resultAt)
		require.Equal(t, ids[wire.ProposalID](*want.Result), append([]wire.ProposalID{}, *p.result...))
	}
}

func TestVectorsSessions(t *testing.T) {
	vectors.Run(t, "hare/hare3_sessions", func(t *testing.T, c sessionCase) { c.run(t, false) })
	vectors.Run(t, "hare/hare4_sessions", func(t *testing.T, c sessionCase) { c.run(t, true) })
}
