package beacon

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

type vectorIdentity struct {
	Received  vectorDuration `json:"atx_received_offset_ns"`
	Malicious bool           `json:"malicious"`
	Node      vectors.Hex    `json:"node_id"`
	Nonce     vectors.Uint64 `json:"nonce"`
	Units     uint32         `json:"num_units"`
	Key       vectors.Hex    `json:"private_key"`
	Weight    vectors.Uint64 `json:"weight"`
}

// populate makes the chain and keys of a vector's identities.
func populate(genesis []byte, p Params, epoch wire.EpochID, list []vectorIdentity) (*chain, realKeys) {
	c := &chain{atxs: map[wire.EpochID][]ATX{}, nonces: map[wire.NodeID]uint64{}, stored: map[wire.EpochID]wire.Beacon{}}
	k := realKeys{Keys{signing.NewVerifier(genesis)}, genesis, map[wire.NodeID][32]byte{}}
	for i, v := range list {
		id := wire.NodeID(v.Node)
		c.atxs[epoch] = append(c.atxs[epoch], ATX{
			ID: wire.ATXID{byte(i), byte(i >> 8), 1}, Node: id, Weight: uint64(v.Weight), Units: v.Units,
			Received: p.epochStart(epoch).Add(time.Duration(v.Received)), Malicious: v.Malicious,
		})
		c.nonces[id] = uint64(v.Nonce)
		k.seeds[id] = [32]byte(v.Key[:32])
	}
	return c, k
}

func TestVectorSessions(t *testing.T) {
	vectors.Run(t, "beacon/sessions", func(t *testing.T, c struct {
		Epoch      wire.EpochID     `json:"epoch"`
		Genesis    vectors.Hex      `json:"genesis_id"`
		Grace      vectorDuration   `json:"grace_ns"`
		Identities []vectorIdentity `json:"identities"`
		Kappa      uint64           `json:"kappa"`
		Q          string           `json:"q"`
		Theta      string           `json:"theta"`
		Rounds     uint32           `json:"rounds"`
		VotesLimit int              `json:"votes_limit"`
		Layers     uint32           `json:"layers_per_epoch"`
		Only       map[string]int   `json:"proposal_only_delivered_to"`
		Nodes      []struct {
			Beacon  vectors.Hex   `json:"beacon"`
			Signers []vectors.Hex `json:"signers"`
		} `json:"nodes"`
		Messages []struct {
			Message vectors.Hex `json:"msg"`
			Node    int         `json:"node"`
			Topic   string      `json:"topic"`
		} `json:"messages"`
	},
	) {
		p := testParams(c.Rounds, time.Duration(c.Grace))
		p.Kappa, p.Q, p.Theta = c.Kappa, ratOf(t, c.Q), ratOf(t, c.Theta)
		p.VotesLimit, p.LayersPerEpoch = c.VotesLimit, c.Layers
		state, keys := populate(c.Genesis, p, c.Epoch, c.Identities)
		w := &world{t: t, chain: state, keys: keys}
		w.deliver = func(m letter, to int) bool {
			if m.Topic != TopicProposal {
				return true
			}
			var proposal wire.BeaconProposalMessage
			require.NoError(t, codec.Decode(m.Bytes, &proposal))
			only, limited := c.Only[proposal.NodeID.String()]
			return !limited || only == to
		}
		start := p.epochStart(c.Epoch)
		for _, n := range c.Nodes {
			var locals []wire.NodeID
			for _, id := range n.Signers {
				locals = append(locals, wire.NodeID(id))
			}
			w.add(start.Add(-time.Second), p, locals...)
		}
		w.run(p.epochStart(c.Epoch + 1).Add(-time.Second))

		want, got := map[string][]string{}, map[string][]string{}
		tosses := map[uint32]*wire.VrfSignature{}
		for _, m := range c.Messages {
			if m.Topic != TopicWeakCoin {
				want[m.Topic] = append(want[m.Topic], hex.EncodeToString(m.Message))
				continue
			}
			keepSmallest(t, tosses, m.Message)
		}
		ours := map[uint32]*wire.VrfSignature{}
		for _, m := range w.sent {
			if m.Topic != TopicWeakCoin {
				got[m.Topic] = append(got[m.Topic], hex.EncodeToString(m.Bytes))
				continue
			}
			keepSmallest(t, ours, m.Bytes)
		}
		for _, lists := range []map[string][]string{want, got} {
			for _, list := range lists {
				slices.Sort(list)
			}
		}
		require.Equal(t, want, got)
		require.Equal(t, tosses, ours)
		for i, n := range c.Nodes {
			if n.Beacon == nil {
				require.Empty(t, w.nodes[i].records)
				continue
			}
			require.Equal(t, []Record{{Epoch: c.Epoch + 1, Beacon: wire.Beacon(n.Beacon)}}, w.nodes[i].records)
			known, ok, err := w.nodes[i].Beacon(c.Epoch + 1)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, wire.Beacon(n.Beacon), known)
		}
	})
}

func keepSmallest(t *testing.T, by map[uint32]*wire.VrfSignature, raw []byte) {
	t.Helper()
	var m wire.WeakCoinMessage
	require.NoError(t, codec.Decode(raw, &m))
	if best := by[m.Round]; best == nil || vrf.Compare(m.VRFSignature, *best) < 0 {
		by[m.Round] = &m.VRFSignature
	}
}
