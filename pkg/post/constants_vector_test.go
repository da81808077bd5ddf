package post_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/randomx"
)

// constant is a case of upstream_constants.json; the fields depend on Kind.
type constant struct {
	Kind            string
	Password        vectors.Hex `json:"password_hex"`
	Salt            vectors.Hex `json:"salt_hex"`
	N, R, P         uint64
	Output          vectors.Hex
	Key             vectors.Hex `json:"key_hex"`
	Input           vectors.Hex `json:"input_hex"`
	Commitment      vectors.Hex
	ScryptN         uint64         `json:"scrypt_n"`
	Start           vectors.Uint64 `json:"start"`
	EndInclusive    vectors.Uint64 `json:"end_inclusive"`
	Difficulty      vectors.Hex
	Nonce           *vectors.Uint64
	Challenge       vectors.Hex
	K1, K2          uint32
	NumLabels       vectors.Uint64   `json:"num_labels"`
	PowOfEveryGroup vectors.Uint64   `json:"pow_of_every_group"`
	Indices         []vectors.Uint64 `json:"indices"`
	PublicKey       string           `json:"public_key_base64"`
	SecretKey       string           `json:"secret_key_base64"`
	NodeID          string           `json:"node_id_base64"`
	CommitmentATX   string           `json:"commitment_atx_id_base64"`
	Ranges          [][4]uint32
}

func TestVectorUpstreamConstants(t *testing.T) {
	checks := map[string]func(*testing.T, *constant){
		"scrypt": requireScrypt, "scrypt-negative": requireScrypt, "randomx": requireRandomX, "vrf": requireVRF,
		"prover": requireProver, "ed25519_keypair": requireKeypair, "identity": requireIdentity,
		"nonce_groups": requireNonceGroups,
	}
	vectors.Run(t, "post/upstream_constants", func(t *testing.T, c constant) {
		require.Contains(t, checks, c.Kind)
		checks[c.Kind](t, &c)
	})
}

func requireScrypt(t *testing.T, c *constant) {
	out := make([]byte, len(c.Output))
	require.NoError(t, post.DeriveKey(c.Password, c.Salt, post.Scrypt{N: c.N, R: c.R, P: c.P}, out))
	if c.Kind == "scrypt-negative" {
		require.NotEqual(t, []byte(c.Output), out)
		return
	}
	require.Equal(t, []byte(c.Output), out)
}

func requireRandomX(t *testing.T, c *constant) {
	h, err := randomx.New(randomx.Config{Key: c.Key})
	require.NoError(t, err)
	defer h.Close()
	hash, err := h.Hash(c.Input)
	require.NoError(t, err)
	require.Equal(t, c.Output.Array32(), hash)
}

func requireVRF(t *testing.T, c *constant) {
	labeler, err := post.NewLabeler(post.Scrypt{N: c.ScryptN, R: 1, P: 1})
	require.NoError(t, err)
	search := post.NonceSearch{Limit: c.Difficulty.Array32()}
	labeler.Range(c.Commitment.Array32(), uint64(c.Start), make([]byte, 16*(c.EndInclusive-c.Start+1)), &search)
	require.Equal(t, c.Nonce != nil, search.Found)
	if c.Nonce != nil {
		require.Equal(t, uint64(*c.Nonce), search.Nonce)
	}
}

func requireProver(t *testing.T, c *constant) {
	data := make([]byte, 16*c.NumLabels)
	for i := range data {
		data[i] = byte(i % 12)
	}
	limit, err := post.ProvingDifficulty(c.K1, uint64(c.NumLabels))
	require.NoError(t, err)
	s, err := post.NewScanner(c.Challenge.Array32(), 0, []uint64{uint64(c.PowOfEveryGroup)}, limit)
	require.NoError(t, err)
	nonce, indices, won, err := post.ScanReader(
		bytes.NewReader(data), int64(len(data)), 0, s, post.NewTally(s, c.K2), make([]byte, 256))
	require.NoError(t, err)
	require.True(t, won)
	require.Equal(t, uint64(*c.Nonce), uint64(nonce))
	for i, index := range c.Indices {
		require.Equal(t, uint64(index), indices[i])
	}
	require.Len(t, indices, len(c.Indices))
}

func requireKeypair(t *testing.T, c *constant) {
	seed, err := base64.StdEncoding.DecodeString(c.SecretKey)
	require.NoError(t, err)
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	require.Equal(t, c.PublicKey, base64.StdEncoding.EncodeToString(public))
}

func requireIdentity(t *testing.T, c *constant) {
	raw := `{"NodeId":"` + c.NodeID + `","CommitmentAtxId":"` + c.CommitmentATX +
		`","LabelsPerUnit":1,"NumUnits":1,"MaxFileSize":1024}`
	m, err := post.ParseMetadata([]byte(raw))
	require.NoError(t, err)
	require.Equal(t, c.NodeID, base64.StdEncoding.EncodeToString(m.NodeID[:]))
	require.Equal(t, c.CommitmentATX, base64.StdEncoding.EncodeToString(m.CommitmentATX[:]))
}

func requireNonceGroups(t *testing.T, c *constant) {
	require.NotEmpty(t, c.Ranges)
	for _, r := range c.Ranges {
		from, to := post.NonceGroups(r[0], r[1])
		require.Equal(t, [4]uint32{r[0], r[1], from, to}, r)
	}
}
