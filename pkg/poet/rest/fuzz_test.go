package rest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
)

// FuzzHandle sends anything to a server: every answer is JSON with a status,
// and nothing that is not authorised is registered.
func FuzzHandle(f *testing.F) {
	f.Add("POST", "/v1/submit", []byte(`{"pubkey":"AAAA","nonce":"1e3","deadline":"2024-10-18T13:25:24Z","certificate":{}}`))
	f.Add("GET", "/v1/proofs/0", []byte(nil))
	f.Add("GET", "/v1/proofs//", []byte("{"))
	f.Add("GET", "/v1/info", []byte("[]"))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		rounds := &memory{members: rest.NewMembers(10)}
		server := rest.Server{
			Schedule: poet.Schedule{EpochDuration: time.Hour},
			Gate:     rest.Gate{Certifier: &rest.TrustedKeys{}, Pow: rest.PowRotation{Current: poet.PowParams{Difficulty: 257}}},
			Rounds:   rounds,
		}
		got := server.Handle(rest.Request{Method: method, Path: path, Body: body}, 0, time.Unix(0, 0))
		require.True(t, json.Valid(got.Body), "%s", got.Body)
		require.Contains(t, []int{200, 400, 401, 404, 501}, got.Status)
		require.Empty(t, rounds.members.Close().Members)
	})
}

func FuzzParseAnswers(f *testing.F) {
	f.Add([]byte(`{"proof":{"proof":{"root":"AA==","provenLeaves":["AA"]},"leaves":"7"},"pubkey":""}`))
	f.Add([]byte(`{"servicePubkey":"AA==","phaseShift":"1.5s","certifier":{"url":"x"}}`))
	f.Add([]byte(`{"roundId":"7","roundEnd":"12s","powParams":{"difficulty":6}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if proof, err := rest.ParseProof(body); err == nil {
			again, err := rest.ParseProof(proof.Body())
			require.NoError(t, err)
			require.Equal(t, proof.Body(), again.Body())
		}
		if info, err := rest.ParseInfo(body); err == nil {
			again, err := rest.ParseInfo(info.Body())
			require.NoError(t, err)
			require.Equal(t, info.Body(), again.Body())
		}
		if answer, err := rest.ParseRegistered(body); err == nil {
			again, err := rest.ParseRegistered(answer.Body())
			require.NoError(t, err)
			require.Equal(t, answer, again)
		}
		if params, err := rest.ParsePowParams(body); err == nil {
			again, err := rest.ParsePowParams(rest.PowParamsBody(params))
			require.NoError(t, err)
			require.True(t, params.Equal(again))
		}
		if request, err := rest.ParseSubmit(body); err == nil {
			again, err := rest.ParseSubmit(request.Body())
			require.NoError(t, err)
			require.Equal(t, request.Body(), again.Body())
		}
	})
}
