package weakcoin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

type identity struct {
	Node      vectors.Hex     `json:"node_id"`
	Key       vectors.Hex     `json:"private_key"`
	Nonce     *vectors.Uint64 `json:"nonce"`
	Allowance uint32          `json:"allowance"`
}

type script struct {
	Buffer     int         `json:"buffer_size"`
	MaxRound   uint32      `json:"max_round"`
	Threshold  vectors.Hex `json:"threshold"`
	Identities []identity  `json:"identities"`
	Steps      []struct {
		Op           string        `json:"op"`
		Epoch        wire.EpochID  `json:"epoch"`
		Round        uint32        `json:"round"`
		Participants []vectors.Hex `json:"participants"`
		Published    vectors.Hex   `json:"published"`
		Message      vectors.Hex   `json:"msg"`
		Decision     string        `json:"decision"`
		Class        Class         `json:"class"`
		Coin         *bool         `json:"coin"`
	} `json:"steps"`
}

type people map[wire.NodeID]identity

func (p people) Nonce(id wire.NodeID, _ wire.EpochID) (uint64, bool) {
	who := p[id]
	if who.Nonce == nil {
		return 0, false
	}
	return uint64(*who.Nonce), true
}

func (p people) Units(id wire.NodeID, _ wire.EpochID) uint32 { return p[id].Allowance }

func (people) VerifyVRF(id wire.NodeID, message []byte, proof wire.VrfSignature) bool {
	return vrf.Verify(id, message, proof)
}

// proofs are what the identity's units toss.
func (p people) proofs(id wire.NodeID, epoch wire.EpochID, round uint32) []wire.VrfSignature {
	who := p[id]
	if who.Nonce == nil {
		return nil
	}
	var out []wire.VrfSignature
	for unit := range who.Allowance {
		input := vrf.WeakCoinMessage{Nonce: uint64(*who.Nonce), Epoch: epoch, Round: round, Unit: unit}
		out = append(out, vrf.Prove([32]byte(who.Key[:32]), input.Bytes()))
	}
	return out
}

func TestVectorWeakCoin(t *testing.T) {
	vectors.Run(t, "beacon/weak_coin", func(t *testing.T, c script) {
		who := people{}
		for _, i := range c.Identities {
			who[wire.NodeID(i.Node)] = i
		}
		coin := New(Params{MaxRound: c.MaxRound, Buffer: c.Buffer, Threshold: wire.VrfSignature(c.Threshold)}, who)
		var epoch wire.EpochID
		var round uint32
		for i, step := range c.Steps {
			switch step.Op {
			case "start_epoch":
				epoch = step.Epoch
				coin.StartEpoch(epoch)
			case "finish_epoch":
				coin.FinishEpoch()
			case "start_round":
				round = step.Round
				coin.StartRound(round)
				var published []byte
				for _, id := range step.Participants {
					if m := coin.Own(wire.NodeID(id), who.proofs(wire.NodeID(id), epoch, round)); m != nil {
						published = codec.MustEncode(m)
					}
				}
				require.Equal(t, []byte(step.Published), published, "step %d", i)
			case "finish_round":
				value, ok := coin.FinishRound()
				require.Equal(t, step.Coin != nil, ok, "step %d", i)
				toss, known := coin.Toss(epoch, round)
				require.Equal(t, ok, known, "step %d", i)
				if ok {
					require.Equal(t, *step.Coin, value, "step %d", i)
					require.Equal(t, value, toss, "step %d", i)
				}
			case "message":
				class := coin.Handle(step.Message)
				want := step.Class
				if want == "" {
					want = Accepted
				}
				require.Equal(t, want, class, "step %d", i)
				require.Equal(t, step.Decision, decision(class), "step %d", i)
			default:
				t.Fatalf("step %d: unknown op %q", i, step.Op)
			}
		}
	})
}

func decision(c Class) string {
	switch c {
	case Accepted, Buffered:
		return "accept"
	case Malformed:
		return "reject"
	}
	return "ignore"
}
