package post_test

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/randomx"
)

var lightPow = sync.OnceValues(func() (*randomx.Hasher, error) {
	return randomx.New(randomx.Config{Key: []byte(post.PowKey), VMs: 2})
})

func pow(t testing.TB) *randomx.Hasher {
	t.Helper()
	h, err := lightPow()
	require.NoError(t, err)
	return h
}

// memo remembers hashes: the checks of a case ask for the same ones again and
// again, at some 30 ms each.
type memo struct {
	hasher *randomx.Hasher
	hashes map[string][32]byte
}

func (m *memo) Hash(input []byte) ([32]byte, error) {
	if hash, ok := m.hashes[string(input)]; ok {
		return hash, nil
	}
	hash, err := m.hasher.Hash(input)
	if err == nil {
		m.hashes[string(input)] = hash
	}
	return hash, err
}

type proofCase struct {
	NodeID          vectors.Hex    `json:"node_id"`
	CommitmentATX   vectors.Hex    `json:"commitment_atx_id"`
	N               uint64         `json:"scrypt_n"`
	LabelsPerUnit   vectors.Uint64 `json:"labels_per_unit"`
	NumUnits        uint32         `json:"num_units"`
	MinNumUnits     uint32         `json:"min_num_units"`
	MaxNumUnits     uint32         `json:"max_num_units"`
	MaxFileSize     vectors.Uint64 `json:"max_file_size"`
	NumFiles        uint64         `json:"num_files"`
	VRFNonceBelowFF vectors.Uint64 `json:"vrf_nonce_below_ff"`
	DataBlake3      vectors.Hex    `json:"data_blake3"`
	DataLen         int            `json:"data_len"`
	Challenge       vectors.Hex
	K1, K2          uint32
	PowDifficulty   vectors.Hex    `json:"pow_difficulty"`
	NoncesPerPass   uint32         `json:"nonces_per_pass"`
	BitsPerIndex    int            `json:"bits_per_index"`
	Difficulty      vectors.Uint64 `json:"difficulty"`
	PowScaled       vectors.Hex    `json:"pow_difficulty_scaled"`
	Proof           proofFields
	IndicesDecoded  []vectors.Uint64 `json:"indices_decoded"`
	ProofJSON       string           `json:"proof_json"`
	MetadataJSON    string           `json:"metadata_json"`
	Checks          []json.RawMessage
}

type proofFields struct {
	Nonce   uint32
	Pow     vectors.Uint64
	Indices vectors.Hex
}

func (c *proofCase) params() post.Params {
	return post.Params{
		MinNumUnits: c.MinNumUnits, MaxNumUnits: c.MaxNumUnits, LabelsPerUnit: uint64(c.LabelsPerUnit),
		K1: c.K1, K2: c.K2, PowDifficulty: c.PowDifficulty.Array32(),
		Scrypt: post.Scrypt{N: c.N, R: 1, P: 1},
	}
}

func (c *proofCase) task() post.Task {
	return post.Task{
		Proof: post.Proof{Nonce: c.Proof.Nonce, Pow: uint64(c.Proof.Pow), Indices: c.Proof.Indices},
		Statement: post.Statement{
			NodeID: c.NodeID.Array32(), CommitmentATX: c.CommitmentATX.Array32(),
			Challenge: c.Challenge.Array32(), NumUnits: c.NumUnits,
		},
	}
}

// proofCheck is what differs from its case, and the outcome.
type proofCheck struct {
	What   string
	Verify struct {
		Mode  string
		Index int
		K3    uint32
		Seed  vectors.Hex
	}
	Result struct {
		OK            bool
		Error         string
		ABI           string
		IndexID       int `json:"index_id"`
		Index         *vectors.Uint64
		Label         vectors.Hex
		Msb           *uint64
		DifficultyMsb *uint64 `json:"difficulty_msb"`
		Lsb           *vectors.Uint64
		DifficultyLsb *vectors.Uint64 `json:"difficulty_lsb"`
	}
}

func (c *proofCheck) selection() post.Selection {
	switch c.Verify.Mode {
	case "one":
		return post.One(c.Verify.Index)
	case "subset":
		return post.Subset(c.Verify.K3, c.Verify.Seed)
	default:
		return post.All()
	}
}

var ruleNames = map[string]post.Rule{
	"NumUnitsTooSmall": post.RuleNumUnitsTooSmall, "NumUnitsTooLarge": post.RuleNumUnitsTooLarge,
	"NonceGroupOutOfBounds": post.RuleNonceGroup, "InvalidPoW": post.RulePow,
	"InvalidIndicesLen": post.RuleIndicesLength, "InvalidNumLabels": post.RuleNumLabels,
	"InvalidMsb": post.RuleIndexMsb, "InvalidLsb": post.RuleIndexLsb,
}

func (c *proofCheck) requireOutcome(t *testing.T, err error) {
	if c.Result.OK {
		require.NoError(t, err)
		return
	}
	require.Contains(t, ruleNames, c.Result.Error)
	require.Equal(t, ruleNames[c.Result.Error], post.RuleOf(err), "%v", err)
	ordinal, invalid := post.InvalidIndex(err)
	require.Equal(t, c.Result.ABI == "InvalidIndex", invalid)
	if !invalid {
		return
	}
	require.Equal(t, c.Result.IndexID, ordinal)
	var bad *post.IndexError
	require.ErrorAs(t, err, &bad)
	if c.Result.Index != nil {
		require.Equal(t, uint64(*c.Result.Index), bad.Index)
	}
	if c.Result.Label != nil {
		require.Equal(t, []byte(c.Result.Label), bad.Label[:])
	}
	if c.Result.Error == "InvalidMsb" && c.Result.Msb != nil {
		require.Equal(t, *c.Result.Msb, bad.Got)
		require.Equal(t, *c.Result.DifficultyMsb, bad.Limit)
	}
	if c.Result.Error == "InvalidLsb" && c.Result.Lsb != nil {
		require.Equal(t, uint64(*c.Result.Lsb), bad.Got)
	}
}

func TestVectorProofs(t *testing.T) {
	h := &memo{hasher: pow(t), hashes: make(map[string][32]byte)}
	vectors.Run(t, "post/proofs", func(t *testing.T, c proofCase) {
		requireDerived(t, &c)
		for _, raw := range c.Checks {
			// Whatever a check sets replaces the case's value.
			changed, fields, check := c, c.Proof, proofCheck{}
			require.NoError(t, json.Unmarshal(raw, &changed))
			require.NoError(t, json.Unmarshal(raw, &fields))
			require.NoError(t, json.Unmarshal(raw, &check))
			changed.Proof = fields
			v, err := post.NewVerifier(changed.params(), h, 1)
			require.NoError(t, err)
			task := changed.task()
			task.Select = check.selection()
			check.requireOutcome(t, v.Verify(&task))
			// Without its pow a proof has the same verdict, unless that is the pow's.
			task.PowVerified = check.Result.Error != "InvalidPoW"
			check.requireOutcome(t, v.VerifyBatch([]post.Task{task})[0])
		}
		requireProves(t, &c, h)
	})
}

// requireDerived checks the values of a case that follow from its parameters.
func requireDerived(t *testing.T, c *proofCase) {
	task := c.task()
	numLabels, ok := post.NumLabels(c.NumUnits, uint64(c.LabelsPerUnit))
	require.True(t, ok)
	require.Equal(t, c.BitsPerIndex, post.IndexBits(numLabels))
	limit, err := post.ProvingDifficulty(c.K1, numLabels)
	require.NoError(t, err)
	require.Equal(t, post.Difficulty(c.Difficulty), limit)
	scaled, err := post.ScalePowDifficulty(c.PowDifficulty.Array32(), c.NumUnits)
	require.NoError(t, err)
	require.Equal(t, c.PowScaled.Array32(), scaled)
	layout, ok := post.NewLayout(uint64(c.LabelsPerUnit), c.NumUnits, uint64(c.MaxFileSize))
	require.True(t, ok)
	require.Equal(t, c.NumFiles, layout.Files)
	var indices []uint64
	for _, index := range c.IndicesDecoded {
		indices = append(indices, uint64(index))
	}
	require.Equal(t, indices, post.UnpackIndices(c.Proof.Indices, c.BitsPerIndex)[:len(indices)])
	require.Equal(t, []byte(c.Proof.Indices), post.PackIndices(indices, c.BitsPerIndex))

	raw, err := json.Marshal(task.Proof)
	require.NoError(t, err)
	require.Equal(t, c.ProofJSON, string(raw))
	raw, err = json.Marshal(task.Statement)
	require.NoError(t, err)
	require.Equal(t, c.MetadataJSON, string(raw))
	var proof post.Proof
	require.NoError(t, json.Unmarshal([]byte(c.ProofJSON), &proof))
	require.Equal(t, task.Proof, proof)
	var statement post.Statement
	require.NoError(t, json.Unmarshal([]byte(c.MetadataJSON), &statement))
	require.Equal(t, task.Statement, statement)
}

// requireProves makes the data of a case, proves it again and verifies that.
func requireProves(t *testing.T, c *proofCase, h post.PowHasher) {
	task, params := c.task(), c.params()
	labeler, err := post.NewLabeler(params.Scrypt)
	require.NoError(t, err)
	data := make([]byte, c.DataLen)
	search := post.NonceSearch{Limit: [32]byte(bytes.Repeat([]byte{0xff}, 32))}
	labeler.Range(post.Commitment(task.Statement.NodeID, task.Statement.CommitmentATX), 0, data, &search)
	require.Equal(t, c.DataBlake3.Array32(), blake3.Sum256(data))
	require.Equal(t, uint64(c.VRFNonceBelowFF), search.Nonce)

	// The recorded proof's group holds a winner, so that scanning it with the
	// recorded pow finds one, if not always the same.
	first := c.Proof.Nonce / post.NoncesPerGroup * post.NoncesPerGroup
	scanner, err := post.NewScanner(
		task.Statement.Challenge, first, []uint64{task.Proof.Pow}, post.Difficulty(c.Difficulty))
	require.NoError(t, err)
	nonce, indices, won, err := post.ScanReader(
		bytes.NewReader(data), int64(len(data)), 0, scanner, post.NewTally(scanner, c.K2), make([]byte, post.ScanBatch))
	require.NoError(t, err)
	require.True(t, won)
	task.Proof = post.Finish(nonce, indices, task.Proof.Pow, uint64(c.DataLen/post.LabelSize))
	v, err := post.NewVerifier(params, h, 1)
	require.NoError(t, err)
	require.NoError(t, v.Verify(&task))
}
