package block_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

type rewardJSON struct {
	ATX        vectors.Hex
	Num, Denom uint64
}

type generationCase struct {
	Layer     wire.LayerID
	GasLimit  uint64      `json:"block_gas_limit"`
	Threshold int         `json:"opt_filter_threshold"`
	Prev      vectors.Hex `json:"prev_mesh_hash"`
	Proposals []struct {
		ID, ATX       vectors.Hex
		Weight        uint64 `json:"atx_weight"`
		BaseHeight    uint64 `json:"atx_base_height"`
		Slots         uint32
		Eligibilities int
		MeshHash      vectors.Hex `json:"mesh_hash"`
		Txs           []vectors.Hex
	}
	Txs []struct {
		ID, Principal vectors.Hex
		Nonce         uint64
		MaxGas        uint64         `json:"max_gas"`
		GasPrice      uint64         `json:"gas_price"`
		MaxSpend      vectors.Uint64 `json:"max_spend"`
		Applied       bool
	}
	Error      string
	Optimistic bool
	Seed       string
	TickHeight uint64   `json:"tick_height"`
	OrderedTxs []string `json:"ordered_txs"`
	Rewards    []rewardJSON
	Block      string
	BlockID    string `json:"block_id"`
}

func (c *generationCase) candidates() (out []block.Candidate) {
	for _, p := range c.Proposals {
		candidate := block.Candidate{
			ID: wire.ProposalID(p.ID), ATX: wire.ATXID(p.ATX), Weight: p.Weight, BaseHeight: p.BaseHeight,
			Slots: p.Slots, Proofs: p.Eligibilities, MeshHash: wire.Hash32(p.MeshHash),
		}
		for _, tx := range p.Txs {
			candidate.Txs = append(candidate.Txs, wire.TransactionID(tx))
		}
		out = append(out, candidate)
	}
	return out
}

func (c *generationCase) lookup() block.Txs {
	known := make(map[wire.TransactionID]mempool.BlockTx)
	for _, tx := range c.Txs {
		known[wire.TransactionID(tx.ID)] = mempool.BlockTx{Applied: tx.Applied, Tx: mempool.Tx{
			ID: wire.TransactionID(tx.ID), Header: wire.TxHeader{
				Principal: wire.Address(tx.Principal), Nonce: tx.Nonce, MaxGas: tx.MaxGas, GasPrice: tx.GasPrice,
				MaxSpend: uint64(tx.MaxSpend),
			},
		}}
	}
	return func(id wire.TransactionID) (mempool.BlockTx, bool) {
		tx, ok := known[id]
		return tx, ok
	}
}

func (c *generationCase) generate(candidates []block.Candidate) (*block.Plan, error) {
	params := block.Params{GasLimit: c.GasLimit, Threshold: c.Threshold}
	return block.Generate(params, c.Layer, candidates, wire.Hash32(c.Prev), c.lookup())
}

func class(err error) string {
	var refusal *block.RuleError
	if errors.As(err, &refusal) {
		return string(refusal.Rule)
	}
	return ""
}

func TestVectorsGeneration(t *testing.T) {
	vectors.Run(t, "mesh/block_generation", func(t *testing.T, c generationCase) {
		candidates := c.candidates()
		plan, err := c.generate(candidates)
		require.Equal(t, c.Error, class(err))
		slices.Reverse(candidates)
		again, err := c.generate(candidates)
		require.Equal(t, c.Error, class(err))
		require.Equal(t, plan, again, "order of proposals")
		if err != nil {
			return
		}
		var ids []wire.ProposalID
		for _, p := range candidates {
			ids = append(ids, p.ID)
		}
		seed := mempool.BlockSeed(ids)
		require.Equal(t, c.Seed, hex.EncodeToString(seed[:]))
		require.Equal(t, c.Optimistic, plan.Optimistic)
		require.Equal(t, c.TickHeight, plan.TickHeight)
		require.Len(t, plan.Txs, len(c.OrderedTxs))
		for i, tx := range plan.Txs {
			require.Equal(t, c.OrderedTxs[i], tx.String())
		}
		require.Equal(t, rewards(c.Rewards), plan.Rewards)
		b := plan.Block()
		require.Equal(t, c.Block, hex.EncodeToString(codec.MustEncode(b)))
		require.Equal(t, c.BlockID, b.ID().String())
		read, err := block.Read(codec.MustEncode(b), b.ID(), 0)
		require.NoError(t, err)
		require.Equal(t, b.ID(), read.ID())
	})
}

func rewards(list []rewardJSON) (out []wire.AnyReward) {
	for _, r := range list {
		out = append(out, wire.AnyReward{AtxID: wire.ATXID(r.ATX), Weight: wire.RatNum{Num: r.Num, Denom: r.Denom}})
	}
	return out
}

func TestVectorsRewards(t *testing.T) {
	type rewardsCase struct {
		Rewards []rewardJSON
		Valid   bool
	}
	vectors.Run(t, "mesh/block_rewards_validation", func(t *testing.T, c rewardsCase) {
		require.Equal(t, c.Valid, block.CheckRewards(rewards(c.Rewards)) == nil)
	})
}

func TestVectorsCertifyMessage(t *testing.T) {
	type certifyCase struct {
		PrivateKey  vectors.Hex `json:"private_key"`
		GenesisID   vectors.Hex `json:"genesis_id"`
		Beacon      vectors.Hex
		Layer       wire.LayerID
		Block       vectors.Hex
		Count       uint16 `json:"eligibility_count"`
		VRFMessage  string `json:"vrf_message"`
		VRFProof    string `json:"vrf_proof"`
		SignedBytes string `json:"signed_bytes"`
		Signature   string
		Message     vectors.Hex `json:"certify_message"`
		Certificate vectors.Hex
	}
	vectors.Run(t, "mesh/certify_message", func(t *testing.T, c certifyCase) {
		seed := [32]byte(c.PrivateKey[:32])
		key := signing.NewKey(seed)
		message := eligibility.Message(wire.Beacon(c.Beacon), block.Round, c.Layer)
		require.Equal(t, c.VRFMessage, hex.EncodeToString(message))
		proof := vrf.Prove(seed, message)
		require.Equal(t, c.VRFProof, proof.String())
		require.True(t, vrf.Verify(key.NodeID(), message, proof))
		content := wire.CertifyContent{LayerID: c.Layer, BlockID: wire.BlockID(c.Block), EligibilityCnt: c.Count, Proof: proof}
		signature, err := key.Sign(c.GenesisID, signing.SignCertify{Content: content})
		require.NoError(t, err)
		require.Equal(t, c.Signature, signature.String())
		m := wire.CertifyMessage{CertifyContent: content, Signature: signature, SmesherID: key.NodeID()}
		require.Equal(t, c.SignedBytes, hex.EncodeToString(m.SignedBytes()))
		require.Equal(t, c.Message.String(), hex.EncodeToString(codec.MustEncode(&m)))
		certificate := wire.Certificate{BlockID: wire.BlockID(c.Block), Signatures: []wire.CertifyMessage{m}}
		require.Equal(t, c.Certificate.String(), hex.EncodeToString(codec.MustEncode(&certificate)))
		var back wire.Certificate
		require.NoError(t, codec.Decode(c.Certificate, &back))
		require.Equal(t, certificate, back)
	})
}

// judge is the real signature and an assumed election.
type judge struct {
	verifier   signing.Verifier
	ineligible map[wire.NodeID]bool
	noBeacon   bool
}

func (j *judge) BeaconKnown(wire.LayerID) bool { return !j.noBeacon }
func (j *judge) Signed(m *wire.CertifyMessage) bool {
	return j.verifier.Verify(signing.Hare, m.SmesherID, m.SignedBytes(), m.Signature)
}
func (j *judge) Eligible(m *wire.CertifyMessage) bool { return !j.ineligible[m.SmesherID] }

type rowJSON struct {
	Block      string
	Valid      bool
	Signatures int
}

func TestVectorsCertifier(t *testing.T) {
	type call struct {
		Call  string
		Layer wire.LayerID
		Block string
	}
	type certifierCase struct {
		Layer      wire.LayerID
		Current    wire.LayerID  `json:"current_layer"`
		Buffer     uint32        `json:"layer_buffer"`
		GenesisID  vectors.Hex   `json:"genesis_id"`
		Ineligible []vectors.Hex `json:"ineligible_nodes"`
		Threshold  int
		Steps      []struct {
			Op                          string
			Block, Message, Certificate vectors.Hex
			Error                       string
			Rows                        []rowJSON
			Calls                       []call
			Output                      string `json:"hare_output_from_db"`
		}
	}
	vectors.Run(t, "mesh/certifier", func(t *testing.T, c certifierCase) {
		j := &judge{verifier: signing.NewVerifier(c.GenesisID), ineligible: make(map[wire.NodeID]bool)}
		for _, node := range c.Ineligible {
			j.ineligible[wire.NodeID(node)] = true
		}
		certifier := block.NewCertifier(block.CertifierParams{Threshold: c.Threshold, LayerBuffer: c.Buffer, LayersToKeep: 2 * c.Buffer}, j)
		var rows []block.Row
		read := func(layer wire.LayerID) ([]block.Row, error) {
			require.Equal(t, c.Layer, layer)
			return rows, nil
		}
		for i, s := range c.Steps {
			var save *block.Save
			var err error
			switch s.Op {
			case "register":
				save, err = certifier.Register(c.Layer, wire.BlockID(s.Block), read)
			case "certify_message":
				var verdict block.Verdict
				verdict, save, err = certifier.OnMessage(s.Message, c.Current, read)
				require.Equal(t, s.Error == string(block.RuleMalformed), verdict == block.Reject)
			case "synced_certificate":
				var certificate wire.Certificate
				require.NoError(t, codec.Decode(s.Certificate, &certificate))
				save, err = certifier.OnCertificate(c.Layer, &certificate, read)
			case "hare_output":
				// Written straight into the table, past the mesh.
				output := wire.BlockID(s.Block)
				if !slices.ContainsFunc(rows, func(r block.Row) bool { return r.Block == output }) {
					rows = append(rows, block.Row{Block: output, Valid: true})
				}
			default:
				t.Fatalf("step %d: %s", i, s.Op)
			}
			require.Equal(t, s.Error, class(err), "step %d", i)
			var calls []call
			if save != nil {
				rows = save.Rows(rows)
				if save.Multiple() {
					calls = append(calls, call{"on_hare_output", save.Layer, wire.BlockID{}.String()})
				}
			}
			require.Equal(t, s.Calls, calls, "step %d", i)
			got := []rowJSON{}
			for _, row := range rows {
				r := rowJSON{Block: row.Block.String(), Valid: row.Valid}
				if row.Certificate != nil {
					r.Signatures = len(row.Certificate.Signatures)
				}
				got = append(got, r)
			}
			require.ElementsMatch(t, s.Rows, got, "step %d", i)
			output, _ := block.Output(rows)
			require.Equal(t, s.Output, output.String(), "step %d", i)
		}
	})
}

func TestVectorsOwnOutput(t *testing.T) {
	type call struct {
		Call  string
		Layer wire.LayerID
		Block string
	}
	type outputCase struct {
		Layer    wire.LayerID
		Existing []struct {
			Block vectors.Hex
			Kind  string
		} `json:"existing_in_insertion_order"`
		Output vectors.Hex `json:"hare_output"`
		Calls  []call
		FromDB string `json:"hare_output_from_db"`
		Rows   []struct {
			Block       string
			Valid       bool
			Certificate bool `json:"has_certificate"`
		}
	}
	vectors.Run(t, "mesh/hare_output", func(t *testing.T, c outputCase) {
		var rows []block.Row
		for _, e := range c.Existing {
			row := block.Row{Block: wire.BlockID(e.Block), Valid: e.Kind != "hare_invalid"}
			if e.Kind == "certificate" {
				row.Certificate = &wire.Certificate{BlockID: row.Block}
			}
			// The table has one row a block: a certificate overwrites, else the first stays.
			at := slices.IndexFunc(rows, func(r block.Row) bool { return r.Block == row.Block })
			switch {
			case at < 0:
				rows = append(rows, row)
			case row.Certificate != nil:
				rows[at] = row
			}
		}
		insert, tell := block.OwnOutput(rows, wire.BlockID(c.Output))
		if insert != nil {
			rows = append(rows, *insert)
		}
		var calls []call
		if tell {
			calls = append(calls, call{"on_hare_output", c.Layer, c.Output.String()})
		}
		require.Equal(t, c.Calls, calls)
		require.Len(t, rows, len(c.Rows))
		for _, want := range c.Rows {
			require.True(t, slices.ContainsFunc(rows, func(r block.Row) bool {
				return r.Block.String() == want.Block && r.Valid == want.Valid && (r.Certificate != nil) == want.Certificate
			}), "%+v", want)
		}
		output, _ := block.Output(rows)
		require.Equal(t, c.FromDB, output.String())
	})
}
