package beacon

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

func ratOf(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	require.True(t, ok, s)
	return r
}

func proposals(list []vectors.Hex) []Proposal {
	var out []Proposal
	for _, h := range list {
		out = append(out, Proposal(h))
	}
	return out
}

func TestVectorProposalThresholds(t *testing.T) {
	vectors.Run(t, "beacon/proposal_thresholds", func(t *testing.T, c struct {
		Name      string         `json:"name"`
		Kappa     uint64         `json:"kappa"`
		Q         string         `json:"q"`
		ATXs      int            `json:"num_atxs"`
		Early     int            `json:"num_early_atxs"`
		Threshold vectors.Hex    `json:"threshold"`
		Fraction  string         `json:"fraction"`
		Probes    [][2]any       `json:"probes"`
		Key       vectors.Hex    `json:"private_key"`
		Nonce     vectors.Uint64 `json:"nonce"`
		Epoch     wire.EpochID   `json:"epoch"`
		Message   vectors.Hex    `json:"vrf_message"`
		VRF       vectors.Hex    `json:"vrf"`
		Proposal  vectors.Hex    `json:"proposal"`
		Pass      bool           `json:"pass"`
		Strict    bool           `json:"pass_strict"`
	},
	) {
		if strings.HasPrefix(c.Name, "checker") {
			third := big.NewRat(1, 3)
			loose, strict := NewThreshold(40, third, c.Early), NewThreshold(40, third, c.ATXs)
			input := proposalInput(uint64(c.Nonce), c.Epoch)
			require.Equal(t, []byte(c.Message), input)
			proof := vrf.Prove([32]byte(c.Key[:32]), input)
			require.Equal(t, []byte(c.VRF), proof[:])
			m := wire.BeaconProposalMessage{VRFSignature: proof}
			require.Equal(t, Proposal(c.Proposal), m.Proposal())
			require.Equal(t, c.Pass, loose.Passes(&proof))
			require.Equal(t, c.Strict, strict.Passes(&proof))
			return
		}
		threshold := NewThreshold(c.Kappa, ratOf(t, c.Q), c.ATXs)
		bound := threshold.Bytes()
		require.Equal(t, c.Threshold, vectors.Hex(bound[:]))
		require.Equal(t, c.Fraction, proposalFraction(c.Kappa, ratOf(t, c.Q), c.ATXs).Text('p', 0))
		for _, p := range c.Probes {
			raw, err := hex.DecodeString(p[0].(string))
			require.NoError(t, err)
			proof := wire.VrfSignature(raw)
			require.Equal(t, p[1].(bool), threshold.Passes(&proof))
		}
	})
}

func TestVectorMessages(t *testing.T) {
	var file struct {
		Genesis vectors.Hex `json:"genesis_id"`
	}
	vectors.Load(t, "beacon/messages", &file)
	keys := Keys{signing.NewVerifier(file.Genesis)}
	vectors.Run(t, "beacon/messages", func(t *testing.T, c struct {
		Type      string         `json:"type"`
		Encoded   vectors.Hex    `json:"encoded"`
		Body      vectors.Hex    `json:"body"`
		Epoch     wire.EpochID   `json:"epoch"`
		Round     uint32         `json:"round"`
		Unit      uint32         `json:"unit"`
		LSB       uint8          `json:"lsb"`
		Node      vectors.Hex    `json:"node_id"`
		Nonce     vectors.Uint64 `json:"nonce"`
		Key       vectors.Hex    `json:"private_key"`
		VRF       vectors.Hex    `json:"vrf"`
		Message   vectors.Hex    `json:"vrf_message"`
		Signature vectors.Hex    `json:"signature"`
		Proposal  vectors.Hex    `json:"proposal"`
		Valid     []vectors.Hex  `json:"valid"`
		Potential []vectors.Hex  `json:"potentially_valid"`
		Bits      vectors.Hex    `json:"bits"`
	},
	) {
		id, key := wire.NodeID(c.Node), signing.NewKey([32]byte(c.Key[:32]))
		switch c.Type {
		case "proposal":
			want := wire.BeaconProposalMessage{EpochID: c.Epoch, NodeID: id, VRFSignature: wire.VrfSignature(c.VRF)}
			requireCoded(t, c.Encoded, &want, new(wire.BeaconProposalMessage))
			require.Equal(t, Proposal(c.Proposal), want.Proposal())
			require.Equal(t, []byte(c.Message), proposalInput(uint64(c.Nonce), c.Epoch))
			require.True(t, keys.VerifyVRF(id, c.Message, want.VRFSignature))
		case "weak_coin":
			want := wire.WeakCoinMessage{
				Epoch: c.Epoch, Round: c.Round, Unit: c.Unit, NodeID: id, VRFSignature: wire.VrfSignature(c.VRF),
			}
			requireCoded(t, c.Encoded, &want, new(wire.WeakCoinMessage))
			inputs := vrf.WeakCoinMessage{Nonce: uint64(c.Nonce), Epoch: c.Epoch, Round: c.Round, Unit: c.Unit}
			require.Equal(t, []byte(c.Message), inputs.Bytes())
			require.True(t, keys.VerifyVRF(id, c.Message, want.VRFSignature))
			require.Equal(t, c.LSB, vrf.LSB(want.VRFSignature))
		case "first_votes":
			want := wire.FirstVotingMessage{
				FirstVotingMessageBody: wire.FirstVotingMessageBody{
					EpochID: c.Epoch, ValidProposals: proposals(c.Valid), PotentiallyValidProposals: proposals(c.Potential),
				},
				SmesherID: id, Signature: wire.EdSignature(c.Signature),
			}
			requireCoded(t, c.Encoded, &want, new(wire.FirstVotingMessage))
			require.Equal(t, []byte(c.Body), want.SignedBytes())
			require.True(t, keys.VerifyFirstVote(id, c.Body, want.Signature))
			require.False(t, keys.VerifyVote(id, c.Body, want.Signature))
			sig, err := key.Sign(file.Genesis, signing.SignBeaconFirst{Body: want.FirstVotingMessageBody})
			require.NoError(t, err)
			require.Equal(t, want.Signature, sig)
		case "following_votes":
			want := wire.FollowingVotingMessage{
				FollowingVotingMessageBody: wire.FollowingVotingMessageBody{
					EpochID: c.Epoch, RoundID: c.Round, VotesBitVector: nilIfEmpty(c.Bits),
				},
				SmesherID: id, Signature: wire.EdSignature(c.Signature),
			}
			requireCoded(t, c.Encoded, &want, new(wire.FollowingVotingMessage))
			require.Equal(t, []byte(c.Body), want.SignedBytes())
			require.True(t, keys.VerifyVote(id, c.Body, want.Signature))
			require.False(t, keys.VerifyFirstVote(id, c.Body, want.Signature))
		default:
			t.Fatalf("unknown type %q", c.Type)
		}
	})
}

func requireCoded[T codec.Coded](t *testing.T, raw []byte, want, into T) {
	t.Helper()
	require.Equal(t, raw, codec.MustEncode(want))
	require.NoError(t, codec.Decode(raw, into))
	require.Equal(t, want, into)
}

func nilIfEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func TestVectorVoteBits(t *testing.T) {
	vectors.Run(t, "beacon/vote_bits", func(t *testing.T, c struct {
		Op      string        `json:"op"`
		Bits    vectors.Hex   `json:"bits"`
		First   []vectors.Hex `json:"first_round"`
		Support []vectors.Hex `json:"support"`
		Against []vectors.Hex `json:"against"`
	},
	) {
		switch c.Op {
		case "encode":
			require.Equal(t, c.Bits.String(), hex.EncodeToString(EncodeVotes(proposals(c.First), proposals(c.Support))))
		case "decode":
			support, against := DecodeVotes(proposals(c.First), c.Bits)
			require.Equal(t, proposals(c.Support), sorted(support))
			require.Equal(t, proposals(c.Against), sorted(against))
		default:
			t.Fatalf("unknown op %q", c.Op)
		}
	})
}

func sorted(list []Proposal) []Proposal {
	list = slices.Clone(list)
	slices.SortFunc(list, compareProposals)
	return list
}

func TestVectorTally(t *testing.T) {
	vectors.Run(t, "beacon/tally", func(t *testing.T, c struct {
		Name      string         `json:"name"`
		Weight    vectors.Uint64 `json:"epoch_weight"`
		Theta     string         `json:"theta"`
		Margins   [][2]string    `json:"margins"`
		Threshold string         `json:"threshold"`
		Support   []vectors.Hex  `json:"support"`
		Against   []vectors.Hex  `json:"against"`
		Undecided []vectors.Hex  `json:"undecided"`
		Coin      bool           `json:"coin"`
		SupportC  []vectors.Hex  `json:"support_after_coin"`
		AgainstC  []vectors.Hex  `json:"against_after_coin"`
		Beacon    vectors.Hex    `json:"beacon"`
		Ops       [][]any        `json:"ops"`
		Valid     []vectors.Hex  `json:"valid"`
		Potential []vectors.Hex  `json:"potentially_valid"`
	},
	) {
		margins := map[Proposal]*Margin{}
		want := map[string]string{}
		for _, m := range c.Margins {
			raw, err := hex.DecodeString(m[0])
			require.NoError(t, err)
			margins[Proposal(raw)] = marginOf(t, m[1])
			want[m[0]] = m[1]
		}
		if strings.HasPrefix(c.Name, "margin") {
			s := &epochState{valid: proposalSet{}, potential: proposalSet{}, margins: map[Proposal]*Margin{}}
			for _, op := range c.Ops {
				raw, err := hex.DecodeString(op[1].(string))
				require.NoError(t, err)
				switch p := Proposal(raw); op[0] {
				case "valid":
					s.addValid(p)
				case "potentially_valid":
					s.addPotential(p)
				case "support":
					s.support(p, uint64(op[2].(float64)))
				case "against":
					s.oppose(p, uint64(op[2].(float64)))
				default:
					t.Fatalf("unknown op %v", op)
				}
			}
			require.Equal(t, proposals(c.Valid), s.valid.sorted())
			require.Equal(t, proposals(c.Potential), s.potential.sorted())
			require.Equal(t, want, dumpMargins(s))
			return
		}
		theta := VotingThreshold(ratOf(t, c.Theta), uint64(c.Weight))
		require.Equal(t, c.Threshold, theta.String())
		opinion := tally(margins, theta)
		require.Equal(t, Opinion{proposals(c.Support), proposals(c.Against), proposals(c.Undecided)}, opinion)
		opinion = opinion.decide(c.Coin)
		require.Equal(t, Opinion{Support: proposals(c.SupportC), Against: proposals(c.AgainstC)}, opinion)
		beacon, ok := opinion.beacon()
		require.Equal(t, c.Beacon != nil, ok)
		if ok {
			require.Equal(t, wire.Beacon(c.Beacon), beacon)
		}
	})
}

func marginOf(t *testing.T, s string) *Margin {
	t.Helper()
	v, ok := new(big.Int).SetString(s, 10)
	require.True(t, ok, s)
	low := new(big.Int).And(v, new(big.Int).SetUint64(1<<64-1))
	m := &Margin{hi: new(big.Int).Rsh(v, 64).Int64(), lo: low.Uint64()}
	require.Equal(t, s, m.Big().String())
	return m
}

func dumpMargins(s *epochState) map[string]string {
	out := map[string]string{}
	for p, m := range s.margins {
		out[hex.EncodeToString(p[:])] = m.Big().String()
	}
	return out
}

func TestVectorClassifyProposal(t *testing.T) {
	type nanos = vectorDuration
	vectors.Run(t, "beacon/classify_proposal", func(t *testing.T, c struct {
		ATXDelay      nanos  `json:"atx_delay_ns"`
		ProposalDelay nanos  `json:"proposal_delay_ns"`
		Grace         nanos  `json:"grace_ns"`
		Passes        bool   `json:"passes"`
		Strict        bool   `json:"passes_strict"`
		Finished      bool   `json:"phase_finished"`
		Exists        bool   `json:"state_exists"`
		Category      string `json:"category"`
	},
	) {
		now := time.Unix(1_700_000_000, 0)
		var s *epochState
		if c.Exists {
			s = &epochState{}
			if c.Finished {
				s.phaseEnd = now.Add(-time.Duration(c.ProposalDelay))
			}
		}
		grade := Timeliness{
			ATXDelay: time.Duration(c.ATXDelay), ProposalDelay: s.proposalDelay(now), Grace: time.Duration(c.Grace),
			Loose: c.Passes, Strict: c.Strict,
		}.Grade()
		require.Equal(t, c.Category, grade.String())
	})
}

type vectorDuration time.Duration

func (d *vectorDuration) UnmarshalJSON(raw []byte) error {
	v, err := time.ParseDuration(strings.Trim(string(raw), `"`) + "ns")
	*d = vectorDuration(v)
	return err
}

func TestPresets(t *testing.T) {
	mainnet, testnet := network.Mainnet(), network.Testnet()
	p := ParamsOf(&mainnet, mainnet.FirstEffectiveGenesis())
	require.Zero(t, p.Rounds)
	p = ParamsOf(&testnet, testnet.FirstEffectiveGenesis())
	require.Equal(t, uint32(20), p.Rounds)
	require.Equal(t, "1/3", p.Q.RatString())
	require.Equal(t, "1/4", p.Theta.RatString())
	run := p.ProposalDuration + p.FirstVotingRound + time.Duration(p.Rounds-1)*(p.VotingRound+p.WeakCoinRound)
	require.Equal(t, 186*time.Minute, run, "spec 05 §12")
}
