package seedtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/seedtest"
	"github.com/smeshery/smeshery/internal/vectors"
)

func TestEveryRowIsThere(t *testing.T) {
	t.Run("api/seed.json", func(t *testing.T) {
		var seed seedtest.Seed
		vectors.Load(t, "api/seed", &seed)
		db := seedtest.Reader(t, seed.Database(t))
		for table, want := range map[string]int{
			"state.accounts": len(seed.Accounts), "state.blocks": len(seed.Blocks), "state.rewards": len(seed.Rewards),
			"state.transactions": len(seed.Transactions), "consensus.layers": len(seed.Layers),
			"activation.atxs": len(seed.ATXs), "activation.malicious": len(seed.Malfeasance),
		} {
			var got int
			require.NoError(t, db.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&got))
			require.Equal(t, want, got, table)
			require.NotZero(t, got, table)
		}
		require.Equal(t, []byte(seed.GoldenATX)[:20], []byte(seed.GenesisID))
	})
}
