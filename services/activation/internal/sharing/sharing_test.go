package sharing

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

func TestEachIdentityHasOneOwner(t *testing.T) {
	database := storetest.DB(t, store.Schema{Name: "activation", Parts: []store.Part{lease.Part(), db.Part()}})
	keys := make([]wire.NodeID, 1000)
	for i := range keys {
		keys[i] = wire.NodeID(wire.Sum([]byte{byte(i), byte(i >> 8)}))
	}
	var members []*Member
	for i := range 4 {
		members = append(members, New(database, fmt.Sprint("process ", i), time.Hour))
		_, err := members[i].Beat(t.Context(), keys)
		require.NoError(t, err)
	}
	owners := func(of []*Member) map[wire.NodeID]*Member {
		got := make(map[wire.NodeID]*Member)
		for _, m := range of {
			share, err := m.Beat(t.Context(), keys)
			require.NoError(t, err)
			require.Greater(t, len(share), len(keys)/len(of)*3/4, "shares are about equal")
			for _, id := range share {
				require.Nil(t, got[id])
				got[id] = m
			}
		}
		require.Len(t, got, len(keys))
		return got
	}
	before := owners(members)
	require.NoError(t, members[3].Leave(t.Context()))
	for id, m := range owners(members[:3]) {
		if before[id] != members[3] {
			require.Equal(t, before[id], m, "only what was left moves")
		}
	}
	// One that is silent is taken for dead.
	_, err := database.Exec(t.Context(), "UPDATE members SET expires_at = now() - interval '1 s' WHERE instance <> 'process 0'")
	require.NoError(t, err)
	share, err := members[0].Beat(t.Context(), keys)
	require.NoError(t, err)
	require.Len(t, share, len(keys))
	// Nobody takes what has moved away, or what he has no key for.
	_, err = database.Exec(t.Context(), "INSERT INTO retired VALUES ($1, now(), 'exported')", keys[7][:])
	require.NoError(t, err)
	_, err = members[1].Beat(t.Context(), keys[:10])
	require.NoError(t, err)
	first, err := members[0].Beat(t.Context(), keys)
	require.NoError(t, err)
	second, err := members[1].Beat(t.Context(), keys[:10])
	require.NoError(t, err)
	require.Len(t, append(first, second...), len(keys)-1)
	require.NotContains(t, append(first, second...), keys[7])
}
