package proposal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

func handlingCases(t testing.TB) []handling {
	var file struct {
		Cases []handling `json:"cases"`
	}
	vectors.Load(t, "mesh/proposal_handling", &file)
	return file.Cases
}

// FuzzGossip judges what may be a proposal: no panic, the same verdict twice,
// and nothing kept of what is refused before its ballot is sound.
func FuzzGossip(f *testing.F) {
	cases := handlingCases(f)
	env := cases[0]
	for _, c := range cases[1:] {
		f.Add([]byte(c.Proposal))
	}
	judge := handlingJudge(env)
	f.Fuzz(func(t *testing.T, blob []byte) {
		world := func() *handlingWorld {
			return &handlingWorld{env: env, c: handling{Processed: 19, Current: 21}}
		}
		first, second := world(), world()
		_, err := judge.Gossip(first, blob)
		_, again := judge.Gossip(second, blob)
		require.Equal(t, err == nil, again == nil)
		require.Equal(t, first.stored == nil, second.stored == nil)
		if rule, ok := RuleOf(err); ok {
			other, _ := RuleOf(again)
			require.Equal(t, rule, other)
		}
		if err == nil {
			require.True(t, first.linked)
		}
	})
}

// FuzzSyncedBallot judges what may be a ballot under its own ID, and then once
// more as if its signature held, so that the rules behind it are reached.
func FuzzSyncedBallot(f *testing.F) {
	cases := handlingCases(f)
	env := cases[0]
	for _, c := range cases[1:] {
		var p wire.Proposal
		if codec.Decode(c.Proposal, &p) == nil {
			f.Add(codec.MustEncode(&p.Ballot))
		}
	}
	judge := handlingJudge(env)
	f.Fuzz(func(t *testing.T, blob []byte) {
		w := &handlingWorld{env: env, c: handling{Processed: 19, Current: 21}}
		var b wire.Ballot
		if codec.Decode(blob, &b) != nil {
			_, err := judge.SyncedBallot(w, blob, wire.BallotID{})
			rule, ok := RuleOf(err)
			require.True(t, ok)
			require.Equal(t, RuleMalformed, rule.Rule)
			return
		}
		_, err := judge.SyncedBallot(w, blob, b.ID())
		require.Equal(t, err == nil, w.stored != nil)
		if _, err := judge.Ballot(w, &b); err == nil {
			require.NotZero(t, w.stored.Slots)
			require.NotEmpty(t, w.stored.Ballot.EligibilityProofs)
		}
	})
}
