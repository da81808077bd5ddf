package intake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/malfeasance"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

// index says of every label whether it is valid.
type index bool

func (i index) IndexValid(post.Statement, *wire.PostV1, uint32) (bool, error) { return bool(i), nil }

// The vectors of malfeasance proofs, with every row in Postgres.
func TestProofsOverPostgres(t *testing.T) {
	type proofCase struct {
		Via          string        `json:"via"`
		FromSelf     bool          `json:"from_self"`
		Encoded      vectors.Hex   `json:"encoded"`
		Expected     vectors.Hex   `json:"expected_hash"`
		Known        []vectors.Hex `json:"known_identities"`
		Commitment   vectors.Hex   `json:"commitment_atx"`
		Before       []vectors.Hex `json:"malicious_before"`
		After        []vectors.Hex `json:"malicious_after"`
		Notified     []vectors.Hex `json:"tortoise_notified"`
		IndexInvalid bool          `json:"post_index_invalid"`
		Prefix       vectors.Hex   `json:"prefix"`
		Result       string        `json:"result"`
		Error        string        `json:"error"`
	}
	url := storetest.URL(t, schema)
	database, admin := storetest.Open(t, url, "activation"), storetest.Open(t, url, "")
	metrics, err := measure.New(nil)
	require.NoError(t, err)
	vectors.Run(t, "activation/malfeasance_v1", func(t *testing.T, c proofCase) {
		_, err := admin.Exec(t.Context(), "SET search_path = activation; "+emptyTables)
		require.NoError(t, err)
		w := &world{db: database}
		before := new(db.Changes)
		for i, h := range c.Known {
			commitment := wire.ATXID(c.Commitment)
			before.ATXs = append(before.ATXs, db.ATX{Row: &atx.Row{
				ID: wire.ATXID{byte(i), 1}, NodeID: wire.NodeID(h), Commitment: &commitment,
			}})
		}
		for _, h := range c.Before {
			before.Malicious = append(before.Malicious, db.Malicious{Node: wire.NodeID(h), Proof: []byte{1}})
		}
		w.write(t, before)
		told := false
		in := New(database, Config{
			Rules: &atx.Rules{Verifier: signing.NewVerifier(c.Prefix)}, Metrics: metrics,
			Own:    func(wire.NodeID) bool { return true },
			Stored: func(_, malicious bool) { told = malicious },
		})
		item := ProofItem{Body: c.Encoded, Sync: c.Via == "sync", Self: c.FromSelf, Received: time.Unix(5, 0)}
		copy(item.Want[:], c.Expected)
		out, err := in.Malfeasance(t.Context(), index(!c.IndexInvalid), []ProofItem{item})
		require.NoError(t, err)
		require.Equal(t, c.Result, out[0].Verdict.String(), "%v", out[0].Err)
		require.Equal(t, c.Error, string(malfeasance.RuleOf(out[0].Err)))
		require.Equal(t, len(c.Notified) > 0, told)
		var after []string
		for _, h := range c.After {
			after = append(after, h.String())
		}
		require.ElementsMatch(t, after, texts[string](t, database, "SELECT encode(node_id, 'hex') FROM malicious"))
		require.Len(t, texts[string](t, database, "SELECT subject FROM outbox WHERE subject = 'events.activation.own_malfeasance'"), len(c.After)-len(c.Before))
	})
}
