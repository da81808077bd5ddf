package roundstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

type (
	hexBytes = vectors.Hex
	decimal  = vectors.Uint64
)

type proofVector struct {
	Root         hexBytes
	ProvenLeaves []hexBytes `json:"proven_leaves"`
	ProofNodes   []hexBytes `json:"proof_nodes"`
}

func (p *proofVector) proof() *wire.PoetMerkleProof {
	if p == nil {
		return nil
	}
	proof := &wire.PoetMerkleProof{Root: p.Root}
	for _, leaf := range p.ProvenLeaves {
		proof.ProvenLeaves = append(proof.ProvenLeaves, leaf)
	}
	for _, node := range p.ProofNodes {
		proof.ProofNodes = append(proof.ProofNodes, node)
	}
	return proof
}

type persistenceCase struct {
	proofVector
	Kind             string
	ExecutionStarted string `json:"execution_started"`
	SecurityParam    uint32 `json:"security_param"`
	Statement        hexBytes
	NumLeaves        decimal `json:"num_leaves"`
	NIP              *proofVector
	XDR              hexBytes
	MinMemoryLayer   int                 `json:"min_memory_layer"`
	LeavesAtStop     uint64              `json:"leaves_at_stop"`
	LayerFiles       map[string]hexBytes `json:"layer_files"`
	FinalLeafCount   uint64              `json:"final_leaf_count"`
}

func TestVectorPersistence(t *testing.T) {
	vectors.Run(t, "poet/persistence", func(t *testing.T, c persistenceCase) {
		switch c.Kind {
		case "round_state":
			state := poet.RoundState{
				ExecutionStarted: c.ExecutionStarted,
				SecurityParam:    c.SecurityParam,
				Statement:        c.Statement,
				Leaves:           uint64(c.NumLeaves),
				Proof:            c.NIP.proof(),
			}
			require.Equal(t, []byte(c.XDR), state.Encode())
			decoded, err := poet.DecodeRoundState(c.XDR)
			require.NoError(t, err)
			require.Equal(t, state.Encode(), decoded.Encode())
			require.Equal(t, state.Proof, decoded.Proof)
		case "resume":
			checkLayerFiles(t, c)
			checkTakeover(t, c)
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

// checkLayerFiles has our worker stop and resume with every layer as the kept
// one: the file then has to equal the reference worker's file of that layer.
func checkLayerFiles(t *testing.T, c persistenceCase) {
	require.LessOrEqual(t, len(c.LayerFiles), c.MinMemoryLayer)
	for layer := range len(c.LayerFiles) {
		cfg := Config{Statement: c.Statement, KeptLayer: uint8(layer), SecurityParam: int(c.SecurityParam), Batch: 1}
		dir := newCrashFS()
		r, err := Open(dir, cfg)
		require.NoError(t, err)
		require.NoError(t, r.Work(context.Background(), func() bool { return r.Leaves() >= c.LeavesAtStop }))
		require.Equal(t, []byte(c.LayerFiles[fmt.Sprintf("layercache_%d.bin", layer)]), dir.live[layerFile].live)
		got, _, err := attempt(dir, cfg, c.FinalLeafCount)
		require.NoError(t, err)
		require.Equal(t, c.proof(), &got.PoetMerkleProof)
	}
}

// checkTakeover continues the reference worker's directory.
func checkTakeover(t *testing.T, c persistenceCase) {
	from := t.TempDir()
	state := poet.RoundState{
		ExecutionStarted: "2024-10-18T08:00:00Z",
		SecurityParam:    c.SecurityParam,
		Statement:        c.Statement,
		Leaves:           c.LeavesAtStop,
	}
	require.NoError(t, os.WriteFile(filepath.Join(from, "state.bin"), state.Encode(), 0o600))
	for name, content := range c.LayerFiles {
		require.NoError(t, os.WriteFile(filepath.Join(from, name), content, 0o600))
	}
	dir := newCrashFS()
	cfg := Config{SecurityParam: int(c.SecurityParam), Batch: 1}
	r, err := Import(dir, from, cfg)
	require.NoError(t, err)
	require.Equal(t, c.LeavesAtStop, r.Saved())
	require.NoError(t, r.Close())
	_, err = Import(dir, from, cfg)
	require.ErrorIs(t, err, ErrOtherRound)
	cfg.Statement = c.Statement
	got, _, err := attempt(dir, cfg, c.FinalLeafCount)
	require.NoError(t, err)
	require.Equal(t, c.proof(), &got.PoetMerkleProof)
	require.Equal(t, c.FinalLeafCount, got.LeafCount)
}
