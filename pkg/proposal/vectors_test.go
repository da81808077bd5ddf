package proposal

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorsSlots(t *testing.T) {
	type slots struct {
		Weight    vectors.Uint64 `json:"weight"`
		MinWeight vectors.Uint64 `json:"min_weight"`
		Total     vectors.Uint64 `json:"total_weight"`
		LayerSize uint32         `json:"layer_size"`
		PerEpoch  uint32         `json:"layers_per_epoch"`
		Slots     uint32         `json:"slots"`
		Error     string         `json:"error"`
	}
	vectors.Run(t, "mesh/eligibility_slots", func(t *testing.T, c slots) {
		n, err := Slots(uint64(c.Weight), uint64(c.MinWeight), uint64(c.Total), c.LayerSize, c.PerEpoch)
		if c.Error != "" {
			require.Equal(t, "zero_total_weight", c.Error)
			require.ErrorIs(t, err, ErrZeroTotalWeight)
			return
		}
		require.NoError(t, err)
		require.Equal(t, c.Slots, n)
	})
	type minWeight struct {
		Epoch    wire.EpochID  `json:"epoch"`
		Weights  []EpochWeight `json:"weights"`
		Selected uint64        `json:"selected"`
	}
	vectors.Run(t, "mesh/min_weight", func(t *testing.T, c minWeight) {
		require.Equal(t, c.Selected, MinWeight(c.Weights, c.Epoch))
	})
}

func TestVectorsSlotVRF(t *testing.T) {
	type slot struct {
		PrivateKey vectors.Hex    `json:"private_key"`
		NodeID     vectors.Hex    `json:"node_id"`
		Beacon     vectors.Hex    `json:"beacon"`
		Epoch      wire.EpochID   `json:"epoch"`
		Nonce      vectors.Uint64 `json:"nonce"`
		J          uint32         `json:"j"`
		PerEpoch   uint32         `json:"layers_per_epoch"`
		Message    vectors.Hex    `json:"message"`
		Proof      vectors.Hex    `json:"proof"`
		Layer      wire.LayerID   `json:"layer"`
	}
	vectors.Run(t, "mesh/eligibility_vrf", func(t *testing.T, c slot) {
		msg := SlotMessage(wire.Beacon(c.Beacon), c.Epoch, uint64(c.Nonce), c.J)
		require.Equal(t, []byte(c.Message), msg)
		proof := vrf.Prove([32]byte(c.PrivateKey[:32]), msg)
		require.Equal(t, wire.VrfSignature(c.Proof), proof)
		require.True(t, vrf.Verify(wire.NodeID(c.NodeID), msg, proof))
		require.Equal(t, c.Layer, EligibleLayer(&proof, c.Epoch, c.PerEpoch))
	})
}

func ids(list []vectors.Hex) []wire.ATXID {
	out := make([]wire.ATXID, len(list))
	for i := range list {
		out[i] = wire.ATXID(list[i])
	}
	return out
}

func TestVectorsActiveSet(t *testing.T) {
	type hash struct {
		Epoch   wire.EpochID  `json:"epoch"`
		Set     []vectors.Hex `json:"set"`
		Hash    vectors.Hex   `json:"hash"`
		Encoded vectors.Hex   `json:"encoded"`
	}
	vectors.Run(t, "mesh/active_set_hash", func(t *testing.T, c hash) {
		set := wire.EpochActiveSet{Epoch: c.Epoch, Set: ids(c.Set)}
		require.Equal(t, []byte(c.Encoded), codec.MustEncode(&set))
		require.Equal(t, wire.Hash32(c.Hash), set.Hash())
		require.ErrorContains(t, CheckActiveSet(nil, wire.Hash32{1}), string(RuleWrongID))
	})
	type grade struct {
		Start    vectors.Uint64 `json:"epoch_start_ns"`
		Delay    vectors.Uint64 `json:"network_delay_ns"`
		Received vectors.Uint64 `json:"atx_received_ns"`
		Proof    vectors.Uint64 `json:"proof_received_ns"`
		Grade    string         `json:"grade"`
	}
	vectors.Run(t, "mesh/atx_grade", func(t *testing.T, c grade) {
		got := GradeATX(int64(c.Received), int64(c.Start), int64(c.Proof), time.Duration(c.Delay))
		require.Equal(t, c.Grade, got.String())
	})
}

func TestVectorsActiveSetGeneration(t *testing.T) {
	type atx struct {
		ID       vectors.Hex `json:"id"`
		Weight   uint64      `json:"weight"`
		Received int64       `json:"received_before_epoch_start_s"`
		Proof    *int64      `json:"proof_received_after_epoch_start_s"`
	}
	type generation struct {
		Target      wire.EpochID  `json:"target"`
		Current     wire.LayerID  `json:"current"`
		Delay       int64         `json:"network_delay_s"`
		GoodPercent int           `json:"good_atx_percent"`
		ATXs        []atx         `json:"atxs"`
		Fallback    []vectors.Hex `json:"fallback"`
		FirstBlock  *struct {
			Reward vectors.Hex   `json:"reward_atx"`
			Set    []vectors.Hex `json:"active_set_in_its_ref_ballot"`
		} `json:"first_block"`
		Set    []vectors.Hex `json:"set"`
		Weight uint64        `json:"weight"`
		Hash   vectors.Hex   `json:"hash"`
		Error  bool          `json:"error"`
	}
	const start = int64(1_700_000_000) * int64(time.Second)
	vectors.Run(t, "mesh/active_set_generation", func(t *testing.T, c generation) {
		in := ActiveSetInput{Start: start, Delay: time.Duration(c.Delay) * time.Second, GoodPercent: c.GoodPercent}
		for _, a := range c.ATXs {
			candidate := Candidate{ID: wire.ATXID(a.ID), Weight: a.Weight, Received: start - a.Received*int64(time.Second)}
			if a.Proof != nil {
				candidate.ProofReceived = start + *a.Proof*int64(time.Second)
			}
			in.Candidates = append(in.Candidates, candidate)
		}
		if c.Fallback != nil {
			in.Trusted = ids(c.Fallback)
		}
		if c.FirstBlock != nil && c.Current > c.Target.FirstLayer(4) {
			rewards := []wire.AnyReward{{AtxID: wire.ATXID(c.FirstBlock.Reward)}}
			in.FirstBlock = FirstBlockSet(rewards, [][]wire.ATXID{ids(c.FirstBlock.Set)})
		}
		got, err := ChooseActiveSet(in)
		if c.Error {
			require.ErrorIs(t, err, ErrNoActiveSet)
			return
		}
		require.NoError(t, err)
		require.Equal(t, ids(c.Set), got.Set)
		require.Equal(t, c.Weight, got.Weight)
		require.Equal(t, wire.Hash32(c.Hash), got.Hash)
		require.NoError(t, CheckActiveSet(got.Set, got.Hash))
	})
}

func TestVectorsVotes(t *testing.T) {
	type vote struct {
		ID     vectors.Hex  `json:"id"`
		Layer  wire.LayerID `json:"layer"`
		Height uint64       `json:"height"`
	}
	type votes struct {
		Layer         wire.LayerID   `json:"ballot_layer"`
		Hdist         uint32         `json:"hdist"`
		MaxExceptions uint32         `json:"max_exceptions"`
		Support       []vote         `json:"support"`
		Against       []vote         `json:"against"`
		Abstain       []wire.LayerID `json:"abstain"`
		Result        string         `json:"result"`
		Error         *string        `json:"error"`
	}
	convert := func(list []vote) (out []wire.Vote) {
		for _, v := range list {
			out = append(out, wire.Vote{ID: wire.BlockID(v.ID), LayerID: v.Layer, Height: v.Height})
		}
		return out
	}
	vectors.Run(t, "mesh/ballot_votes_consistency", func(t *testing.T, c votes) {
		v := wire.Votes{Support: convert(c.Support), Against: convert(c.Against), Abstain: c.Abstain}
		err := CheckVotes(c.Layer, &v, c.Hdist, c.MaxExceptions)
		if c.Error == nil {
			require.NoError(t, err)
			require.Equal(t, "accept", c.Result)
			return
		}
		rule, ok := RuleOf(err)
		require.True(t, ok)
		require.Equal(t, Rule(*c.Error), rule.Rule)
		require.Equal(t, Reject, rule.Reaction)
		require.Equal(t, "reject", c.Result)
	})
}

func TestVectorsBuilding(t *testing.T) {
	type building struct {
		ActiveSet   []vectors.Hex       `json:"active_set"`
		Atx         vectors.Hex         `json:"atx"`
		Beacon      vectors.Hex         `json:"beacon"`
		ByLayer     map[string][]uint32 `json:"eligible_counters_by_layer"`
		Epoch       wire.EpochID        `json:"epoch"`
		GenesisID   vectors.Hex         `json:"genesis_id"`
		Layer       wire.LayerID        `json:"layer"`
		PerEpoch    uint32              `json:"layers_per_epoch"`
		MeshHash    vectors.Hex         `json:"mesh_hash"`
		Nonce       vectors.Uint64      `json:"nonce"`
		Opinion     vectors.Hex         `json:"opinion"`
		PrivateKey  vectors.Hex         `json:"private_key"`
		RefBallot   vectors.Hex         `json:"ref_ballot"`
		Slots       uint32              `json:"slots"`
		Txs         []vectors.Hex       `json:"txs"`
		Ballot      vectors.Hex         `json:"ballot"`
		BallotID    vectors.Hex         `json:"ballot_id"`
		BallotBytes vectors.Hex         `json:"ballot_signed_bytes"`
		BallotSig   vectors.Hex         `json:"ballot_signature"`
		Inner       vectors.Hex         `json:"inner_ballot"`
		Proposal    vectors.Hex         `json:"proposal"`
		ProposalID  vectors.Hex         `json:"proposal_id"`
		Bytes       vectors.Hex         `json:"proposal_signed_bytes"`
		Sig         vectors.Hex         `json:"proposal_signature"`
		Votes       struct {
			Base    vectors.Hex    `json:"base"`
			Support []jsonVote     `json:"support"`
			Against []jsonVote     `json:"against"`
			Abstain []wire.LayerID `json:"abstain"`
		} `json:"votes"`
	}
	vectors.Run(t, "mesh/proposal_building", func(t *testing.T, c building) {
		seed := [32]byte(c.PrivateKey[:32])
		proofs := make([]wire.VrfSignature, c.Slots)
		for j := range proofs {
			proofs[j] = vrf.Prove(seed, SlotMessage(wire.Beacon(c.Beacon), c.Epoch, uint64(c.Nonce), uint32(j)))
		}
		schedule := Schedule(proofs, c.Epoch, c.PerEpoch)
		require.Len(t, schedule, len(c.ByLayer))
		for layer, counters := range c.ByLayer {
			n, err := strconv.Atoi(layer)
			require.NoError(t, err)
			var got []uint32
			for _, slot := range schedule[wire.LayerID(n)] {
				got = append(got, slot.J)
			}
			require.Equal(t, counters, got)
		}
		draft := Draft{
			Layer: c.Layer, Atx: wire.ATXID(c.Atx), Smesher: wire.NodeID(c.PrivateKey[32:]),
			Opinion: wire.Opinion{Hash: wire.Hash32(c.Opinion), Votes: wire.Votes{
				Base: wire.BallotID(c.Votes.Base), Support: convertVotes(c.Votes.Support),
				Against: convertVotes(c.Votes.Against), Abstain: c.Votes.Abstain,
			}},
			Slots: schedule[c.Layer], MeshHash: wire.Hash32(c.MeshHash),
		}
		if c.RefBallot != nil {
			draft.Reference = wire.BallotID(c.RefBallot)
		} else {
			draft.Epoch = &wire.EpochData{
				ActiveSetHash: wire.HashATXList(ids(c.ActiveSet)), Beacon: wire.Beacon(c.Beacon), EligibilityCount: c.Slots,
			}
		}
		for _, tx := range c.Txs {
			draft.Txs = append(draft.Txs, wire.TransactionID(tx))
		}
		build := NewBuild(draft)
		require.Equal(t, []byte(c.BallotBytes), build.BallotBytes())
		bytes := build.SignBallot(wire.EdSignature(c.BallotSig))
		require.Equal(t, []byte(c.Bytes), bytes)
		p := build.Sign(wire.EdSignature(c.Sig))
		require.Equal(t, []byte(c.Inner), codec.MustEncode(&p.InnerBallot))
		require.Equal(t, []byte(c.Ballot), codec.MustEncode(&p.Ballot))
		require.Equal(t, wire.BallotID(c.BallotID), p.Ballot.ID())
		require.Equal(t, []byte(c.Proposal), codec.MustEncode(p))
		require.Equal(t, wire.ProposalID(c.ProposalID), p.ID())
		verifier := signing.NewVerifier(c.GenesisID)
		require.True(t, verifier.Verify(signing.Ballot, p.SmesherID, p.Ballot.SignedBytes(), p.Ballot.Signature))
		require.True(t, verifier.Verify(signing.Proposal, p.SmesherID, p.SignedBytes(), p.Signature))
	})
}

type jsonVote struct {
	ID     vectors.Hex    `json:"id"`
	Layer  wire.LayerID   `json:"layer"`
	Height vectors.Uint64 `json:"height"`
}

func convertVotes(list []jsonVote) (out []wire.Vote) {
	for _, v := range list {
		out = append(out, wire.Vote{ID: wire.BlockID(v.ID), LayerID: v.Layer, Height: uint64(v.Height)})
	}
	return out
}

// handling is a case of proposal_handling.json; the first describes the world.
type handling struct {
	Name           string        `json:"name"`
	ActiveSet      []vectors.Hex `json:"active_set"`
	SetHash        vectors.Hex   `json:"active_set_hash"`
	ATXs           []handlingATX `json:"atxs"`
	Genesis        wire.LayerID  `json:"effective_genesis"`
	Epoch          wire.EpochID  `json:"epoch"`
	GenesisID      vectors.Hex   `json:"genesis_id"`
	GoldenATX      vectors.Hex   `json:"golden_atx"`
	Hdist          uint32        `json:"hdist"`
	LayerSize      uint32        `json:"layer_size"`
	PerEpoch       uint32        `json:"layers_per_epoch"`
	MaxExceptions  uint32        `json:"max_exceptions"`
	MinWeight      uint64        `json:"min_active_set_weight"`
	PrivateKey     vectors.Hex   `json:"private_key"`
	RefID          vectors.Hex   `json:"reference_ballot_id"`
	RefBeacon      vectors.Hex   `json:"reference_beacon"`
	RefSlots       uint32        `json:"reference_slots"`
	Proposal       vectors.Hex   `json:"proposal"`
	Current        wire.LayerID  `json:"current_layer"`
	Processed      wire.LayerID  `json:"processed_layer"`
	Result         string        `json:"result"`
	FetchIgnore    bool          `json:"fetch_ignore"`
	BallotStored   bool          `json:"ballot_stored"`
	Linked         bool          `json:"proposal_linked"`
	BallotID       vectors.Hex   `json:"ballot_id"`
	ProposalID     vectors.Hex   `json:"proposal_id"`
	Synced         bool          `json:"synced"`
	ExpectedHash   vectors.Hex   `json:"expected_hash"`
	Known          bool          `json:"proposal_known"`
	ATXsMissing    bool          `json:"atxs_unavailable"`
	TxsMissing     bool          `json:"txs_unavailable"`
	DecodeFails    bool          `json:"tortoise_decode_fails"`
	LayerEvicted   bool          `json:"proposal_layer_evicted"`
	BallotBytes    vectors.Hex   `json:"ballot_signed_bytes"`
	ProposalBytes  vectors.Hex   `json:"proposal_signed_bytes"`
	BeaconPerSlots vectors.Hex   `json:"beacon_weight"`
}

type handlingATX struct {
	ID     vectors.Hex `json:"id"`
	Node   vectors.Hex `json:"node"`
	Nonce  uint64      `json:"nonce"`
	Weight uint64      `json:"weight"`
}

// handlingWorld answers as the case describes and notes what was kept.
type handlingWorld struct {
	env, c handling
	stored *Valid
	linked bool
}

var errUnavailable = errors.New("unavailable")

func (w *handlingWorld) Layers() (processed, current wire.LayerID) { return w.c.Processed, w.c.Current }
func (w *handlingWorld) BallotKnown(wire.BallotID) bool            { return false }
func (w *handlingWorld) ProposalKnown(wire.ProposalID) bool        { return w.c.Known }
func (w *handlingWorld) Obtain(*wire.Ballot) error                 { return nil }

func (w *handlingWorld) Reference(id wire.BallotID) (Reference, bool) {
	own := w.env.ATXs[len(w.env.ATXs)-1]
	return Reference{
		Smesher: wire.NodeID(w.env.PrivateKey[32:]), Atx: wire.ATXID(own.ID), Epoch: w.env.Epoch,
		Beacon: wire.Beacon(w.env.RefBeacon), Slots: w.env.RefSlots,
	}, id == wire.BallotID(w.env.RefID)
}

func (w *handlingWorld) ATX(epoch wire.EpochID, id wire.ATXID) (ATX, bool) {
	for _, a := range w.env.ATXs {
		if wire.ATXID(a.ID) == id && epoch == w.env.Epoch {
			return ATX{Node: wire.NodeID(a.Node), Weight: a.Weight, Nonce: a.Nonce}, true
		}
	}
	return ATX{}, false
}

func (w *handlingWorld) ActiveSetWeight(hash wire.Hash32) (sum uint64, err error) {
	if w.c.ATXsMissing || hash != wire.Hash32(w.env.SetHash) {
		return 0, errUnavailable
	}
	for _, a := range w.env.ATXs {
		sum += a.Weight
	}
	return sum, nil
}

func (w *handlingWorld) DecodeVotes(*wire.Ballot) error {
	if w.c.DecodeFails {
		return errors.New("votes do not decode")
	}
	return nil
}

func (w *handlingWorld) VerifyVRF(node wire.NodeID, message []byte, proof *wire.VrfSignature) bool {
	return vrf.Verify(node, message, *proof)
}

func (w *handlingWorld) Keep(b *Valid) (Kept, error) {
	w.stored = b
	return Kept{}, nil
}

func (w *handlingWorld) ObtainTxs([]wire.TransactionID) error {
	if w.c.TxsMissing {
		return errUnavailable
	}
	return nil
}

func (w *handlingWorld) Shelve(*Arrival) error {
	if w.c.LayerEvicted {
		return &RuleError{Rule: RuleEvicted, Reaction: Ignore}
	}
	w.linked = true
	return nil
}

func handlingJudge(env handling) *Judge {
	return &Judge{Params: Params{
		LayersPerEpoch: env.PerEpoch, LayerSize: env.LayerSize, Hdist: env.Hdist, MaxExceptions: env.MaxExceptions,
		EffectiveGenesis: env.Genesis, GoldenATX: wire.ATXID(env.GoldenATX),
		MinWeights: []EpochWeight{{Weight: env.MinWeight}}, Verifier: signing.NewVerifier(env.GenesisID),
	}}
}

func TestVectorsHandling(t *testing.T) {
	var file struct {
		Cases []handling `json:"cases"`
	}
	vectors.Load(t, "mesh/proposal_handling", &file)
	env := file.Cases[0]
	vectors.Run(t, "mesh/proposal_handling", func(t *testing.T, c handling) {
		if c.Name == env.Name {
			require.NotEmpty(t, c.ATXs)
			return
		}
		w := &handlingWorld{env: env, c: c}
		judge := handlingJudge(env)
		var a *Arrival
		var err error
		if c.Synced {
			a, err = judge.Synced(w, c.Proposal, wire.Hash32(c.ExpectedHash))
		} else {
			a, err = judge.Gossip(w, c.Proposal)
		}
		require.Equal(t, c.BallotStored, w.stored != nil)
		require.Equal(t, c.Linked, w.linked)
		if c.Result == "accept" {
			require.NoError(t, err)
			require.Equal(t, wire.ProposalID(c.ProposalID), a.ID)
			require.Equal(t, wire.BallotID(c.BallotID), a.Proposal.Ballot.ID())
			require.Equal(t, []byte(c.ProposalBytes), a.Proposal.SignedBytes())
			require.Equal(t, []byte(c.BallotBytes), a.Proposal.Ballot.SignedBytes())
			return
		}
		rule, ok := RuleOf(err)
		require.True(t, ok, "error %v", err)
		require.Equal(t, c.FetchIgnore, rule.Reaction == FetchIgnore)
		require.Equal(t, c.Result == "reject", rule.Reaction == Reject, "rule %s", rule.Rule)
	})
}
