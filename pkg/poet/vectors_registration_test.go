package poet_test

import (
	"crypto/ed25519"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/poet"
)

func TestVectorPow(t *testing.T) {
	type powCase struct {
		Kind          string
		PowChallenge  hexBytes `json:"pow_challenge"`
		NodeID        hexBytes `json:"node_id"`
		PoetChallenge hexBytes `json:"poet_challenge"`
		Difficulty    uint32
		FirstNonce    decimal `json:"first_nonce"`
		Nonce         decimal
		Hash          hexBytes
		Data          hexBytes
		Valid         bool
	}
	vectors.Run(t, "poet/pow", func(t *testing.T, c powCase) {
		params := poet.PowParams{Challenge: c.PowChallenge, Difficulty: c.Difficulty}
		switch c.Kind {
		case "solve":
			nonce, found := poet.SolvePow(params, c.NodeID, c.PoetChallenge, 0, uint64(c.FirstNonce)+1)
			require.True(t, found)
			require.Equal(t, uint64(c.FirstNonce), nonce)
			require.Equal(t, c.Hash.Array32(), poet.PowHash(c.PowChallenge, c.NodeID, c.PoetChallenge, nonce))
		case "verify":
			require.Equal(t, c.Hash.Array32(), poet.PowHash(c.PowChallenge, c.NodeID, c.PoetChallenge, uint64(c.Nonce)))
			err := poet.VerifyPow(params, c.NodeID, c.PoetChallenge, uint64(c.Nonce))
			require.Equal(t, c.Valid, err == nil, "%v", err)
		case "leading_zero_bits":
			require.Equal(t, c.Valid, poet.LeadingZeroBits(c.Data, c.Difficulty))
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func TestVectorCertificates(t *testing.T) {
	type certificateCase struct {
		Kind       string
		NodeID     hexBytes `json:"node_id"`
		Expiration *decimal `json:"expiration_unix"`
		Seed       hexBytes `json:"certifier_seed"`
		Pubkey     hexBytes `json:"certifier_pubkey"`
		Hint       hexBytes
		Data       hexBytes
		Signature  hexBytes
		Result     string
	}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	vectors.Run(t, "poet/certificates", func(t *testing.T, c certificateCase) {
		switch c.Kind {
		case "encode_sign":
			key := ed25519.NewKeyFromSeed(c.Seed)
			signed, err := poet.SignCertificate(key, poet.Certificate{Pubkey: c.NodeID, Expiration: (*uint64)(c.Expiration)})
			require.NoError(t, err)
			require.Equal(t, poet.SignedCertificate{Data: c.Data, Signature: c.Signature}, signed)
			require.Equal(t, ed25519.PublicKey(c.Pubkey), key.Public())
			require.Equal(t, c.Hint, c.Pubkey[:poet.CertificateHintSize])
		case "verify":
			signed := poet.SignedCertificate{Data: c.Data, Signature: c.Signature}
			_, err := poet.VerifyCertificate(signed, ed25519.PublicKey(c.Pubkey), c.NodeID, now)
			result := outcome(err, "valid")
			if result == string(poet.RuleCertificateData) {
				result = "decode_error"
			}
			require.Equal(t, c.Result, result)
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func TestVectorProofDB(t *testing.T) {
	type recordCase struct {
		Key           string   `json:"key_ascii"`
		ServicePubkey hexBytes `json:"service_pubkey"`
		Members       []hexBytes
		Root          hexBytes
		ProvenLeaves  []hexBytes `json:"proven_leaves"`
		ProofNodes    []hexBytes `json:"proof_nodes"`
		Leaves        decimal
		XDR           hexBytes
	}
	vectors.Run(t, "poet/proof_db", func(t *testing.T, c recordCase) {
		proof := workCase{Root: c.Root, ProvenLeaves: c.ProvenLeaves, ProofNodes: c.ProofNodes, LeafCount: c.Leaves}
		record := poet.ProofRecord{
			Proof:         *proof.proof(),
			Members:       bytesOf(c.Members),
			ServicePubkey: c.ServicePubkey,
			Round:         c.Key,
		}
		require.Equal(t, []byte(c.XDR), record.Encode())
		decoded, err := poet.DecodeProofRecord(c.XDR)
		require.NoError(t, err)
		require.Equal(t, record, decoded)
		round, err := strconv.ParseUint(c.Key, 10, 32)
		require.NoError(t, err)
		require.Equal(t, c.Key, poet.ProofKey(uint32(round)))
	})
}
