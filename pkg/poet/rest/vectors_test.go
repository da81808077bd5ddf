package rest_test

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/wire"
)

type (
	hexBytes = vectors.Hex
	decimal  = vectors.Uint64
)

// memory is an open round and its published proofs in memory.
type memory struct {
	members   *rest.Members
	published map[uint32]*rest.Proof
}

func (m *memory) Register(r poet.Registration) error {
	_, err := m.members.Add(r)
	return err
}

func (m *memory) Published(round uint32) (*rest.Proof, bool, error) {
	proof, ok := m.published[round]
	return proof, ok, nil
}

func serviceKey(seed []byte) []byte {
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
}

func rawNodes(list []hexBytes) [][]byte {
	var out [][]byte
	for _, node := range list {
		out = append(out, node)
	}
	return out
}

type trustedKey struct{ Path, Content string }

type step struct {
	Name, Method, Path string
	RequestBody        string `json:"request_body"`
	Status             int
	ResponseBody       string `json:"response_body"`
	UpstreamQuirk      bool   `json:"upstream_quirk"`
}

type session struct {
	PoetSeed         hexBytes     `json:"poet_seed"`
	PowChallenge     hexBytes     `json:"pow_challenge"`
	PowDifficulty    uint32       `json:"pow_difficulty"`
	EpochDuration    int64        `json:"epoch_duration_s"`
	CycleGap         int64        `json:"cycle_gap_s"`
	PhaseShift       int64        `json:"phase_shift_s"`
	CertifierURL     *string      `json:"certifier_url"`
	CertifierPubkey  hexBytes     `json:"certifier_pubkey"`
	TrustedKeys      []trustedKey `json:"trusted_keys"`
	MaxRoundMembers  *uint64      `json:"max_round_members"`
	Steps            []step
	registrationTime time.Time
}

func (c *session) server(t *testing.T) *rest.Server {
	limit := uint64(1) << 32
	if c.MaxRoundMembers != nil {
		limit = *c.MaxRoundMembers
	}
	server := &rest.Server{
		Info: rest.Info{
			ServicePubkey: serviceKey(c.PoetSeed),
			PhaseShift:    time.Duration(c.PhaseShift) * time.Second,
			CycleGap:      time.Duration(c.CycleGap) * time.Second,
		},
		Schedule: poet.Schedule{
			Genesis:       c.registrationTime,
			EpochDuration: time.Duration(c.EpochDuration) * time.Second,
			PhaseShift:    time.Duration(c.PhaseShift) * time.Second,
			CycleGap:      time.Duration(c.CycleGap) * time.Second,
		},
		Rounds: &memory{members: rest.NewMembers(limit)},
	}
	server.Gate.Pow.Current = poet.PowParams{Challenge: c.PowChallenge, Difficulty: c.PowDifficulty}
	if c.CertifierURL != nil {
		server.Info.Certifier = &rest.CertifierInfo{URL: *c.CertifierURL, Pubkey: c.CertifierPubkey}
		server.Gate.Certifier = &rest.TrustedKeys{Default: ed25519.PublicKey(c.CertifierPubkey)}
		for _, file := range c.TrustedKeys {
			if strings.HasSuffix(file.Path, ".key") {
				key, err := rest.ParseKeyFile([]byte(file.Content))
				require.NoError(t, err)
				server.Gate.Certifier.More = append(server.Gate.Certifier.More, key)
			}
		}
	}
	return server
}

func TestVectorSubmit(t *testing.T) {
	vectors.Run(t, "poet/submit_rest", func(t *testing.T, c session) {
		c.registrationTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		server := c.server(t)
		for _, s := range c.Steps {
			got := server.Handle(rest.Request{Method: s.Method, Path: s.Path, Body: []byte(s.RequestBody)}, 0, c.registrationTime)
			if s.UpstreamQuirk {
				require.Equal(t, 400, got.Status, s.Name)
				require.Contains(t, string(got.Body), `"code":3`)
				continue
			}
			require.Equal(t, s.Status, got.Status, "%s: %s", s.Name, got.Body)
			requireBody(t, s, string(got.Body))
		}
	})
}

func requireBody(t *testing.T, s step, got string) {
	t.Helper()
	if strings.Contains(s.Name, "json") || strings.Contains(s.ResponseBody, "proto:") {
		// The text of a syntax error is a library's; its code is not.
		want, _, _ := strings.Cut(s.ResponseBody, `"message"`)
		require.True(t, strings.HasPrefix(got, want), "%s: %s", s.Name, got)
		return
	}
	if _, open, found := strings.Cut(got, `"roundEnd":"`); found {
		end, _, _ := strings.Cut(open, `"`)
		require.Regexp(t, `^\d+(\.\d{3}|\.\d{6}|\.\d{9})?s$`, end)
		got = strings.Replace(got, end, "<until round end>", 1)
	}
	require.Equal(t, s.ResponseBody, got, s.Name)
}

func TestVectorRoundClose(t *testing.T) {
	type proofVector struct {
		Leaves       decimal
		ProofNodes   []hexBytes `json:"proof_nodes"`
		ProvenLeaves []hexBytes `json:"proven_leaves"`
		Root         hexBytes
	}
	type registration struct {
		NodeID    hexBytes `json:"node_id"`
		Challenge hexBytes
	}
	type closeCase struct {
		PoetSeed       hexBytes       `json:"poet_seed"`
		Registrations  []registration `json:"registrations_in_submit_order"`
		Members        []hexBytes
		MembershipRoot hexBytes `json:"membership_root"`
		Proof          proofVector
		ProofBody      string `json:"proof_response_body"`
		PowBody        string `json:"pow_params_response_body_after_proof"`
	}
	vectors.Run(t, "poet/round_close", func(t *testing.T, c closeCase) {
		open := rest.NewMembers(1 << 32)
		for _, r := range c.Registrations {
			_, err := open.Add(poet.Registration{NodeID: wire.NodeID(r.NodeID.Array32()), Challenge: r.Challenge.Array32()})
			require.NoError(t, err)
		}
		closed := open.Close()
		require.Equal(t, len(c.Members), len(closed.Members))
		for i := range c.Members {
			require.Equal(t, c.Members[i].Array32(), closed.Members[i])
		}
		require.Equal(t, []byte(c.MembershipRoot), closed.Statement)

		proof := &rest.Proof{Members: rawNodes(c.Members), Pubkey: serviceKey(c.PoetSeed)}
		proof.Proof.Root = c.Proof.Root
		proof.Proof.ProvenLeaves = rawNodes(c.Proof.ProvenLeaves)
		proof.Proof.ProofNodes = rawNodes(c.Proof.ProofNodes)
		proof.Proof.LeafCount = uint64(c.Proof.Leaves)
		const difficulty = 6
		rotation := rest.PowRotation{Current: poet.PowParams{Challenge: []byte("before"), Difficulty: difficulty}}
		server := rest.Server{
			Gate:   rest.Gate{Pow: rotation.After(c.Proof.Root)},
			Rounds: &memory{published: map[uint32]*rest.Proof{0: proof}},
		}
		require.Equal(t, rest.Response{Status: 200, Body: []byte(c.ProofBody)},
			server.Handle(rest.Request{Method: "GET", Path: "/v1/proofs/0"}, 1, time.Time{}))
		require.Equal(t, rest.Response{Status: 200, Body: []byte(c.PowBody)},
			server.Handle(rest.Request{Method: "GET", Path: "/v1/pow_params"}, 1, time.Time{}))
		parsed, err := rest.ParseProof([]byte(c.ProofBody))
		require.NoError(t, err)
		require.Equal(t, proof, &parsed)
	})
}
