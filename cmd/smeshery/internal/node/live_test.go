package node

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
)

// fastStandalone is the standalone network with epochs of 16 seconds.
func fastStandalone() network.Params {
	p := network.Standalone()
	p.LayerDuration, p.LayersPerEpoch = 2*time.Second, 8
	p.Genesis.Time = time.Now().Add(4 * time.Second).Truncate(time.Second)
	p.Poet.PhaseShift, p.Poet.CycleGap, p.Poet.GracePeriod = 8*time.Second, 6*time.Second, 2*time.Second
	p.Poet.PositioningATXSelectionTimeout, p.Poet.RequestTimeout = time.Second, 5*time.Second
	p.Hare3.PreroundDelay, p.Hare3.RoundDuration = 300*time.Millisecond, 100*time.Millisecond
	p.ATXGradeDelay = 2 * time.Second
	p.Beacon.GracePeriod, p.Beacon.ProposalDuration = time.Second, 500*time.Millisecond
	p.Beacon.FirstVotingRoundDuration, p.Beacon.VotingRoundDuration, p.Beacon.WeakCoinRoundDuration = time.Second, 500*time.Millisecond, 500*time.Millisecond
	return p
}

func liveConfig(t *testing.T, identities int) Config {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o711))
	ids, poetDir, postDir := Directories(dir)
	for i := range identities {
		require.NoError(t, keyfile.Store(ids, keyfile.Identity{Name: fmt.Sprintf("%03d.key", i), Key: signing.NewKey([32]byte{byte(i), byte(i >> 8), 1})}))
	}
	api := apigateway.DefaultConfig()
	api.PublicListener, api.PrivateListener, api.JSONListener = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	log, err := os.Create(filepath.Join(os.TempDir(), "live.log"))
	require.NoError(t, err)
	return Config{
		DataDir: dir, Network: fastStandalone(), Now: time.Now, Seed: []byte("seed"),
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Live: &Live{
			Standalone: true, Identities: ids, Coinbase: wire.Address{23: 7}, PoETs: []string{"http://127.0.0.1:18110"},
			PoetListen: "127.0.0.1:18110", PoetDir: poetDir, PostDir: postDir, API: api, Admin: "127.0.0.1:0", Version: "test",
		},
	}
}

func TestALiveNode(t *testing.T) {
	cfg := liveConfig(t, 1)
	n, err := Start(t.Context(), cfg)
	require.NoError(t, err)
	defer n.Stop(context.WithoutCancel(t.Context()))
	t.Log(n.AdminAddr(), n.APIAddr("public"))
	first := 2*cfg.Network.LayersPerEpoch + 2
	require.Eventually(t, func() bool {
		select {
		case <-n.Failed():
			require.NoError(t, n.Err())
		default:
		}
		rows, err := state.AppliedFrom(t.Context(), n.DB(), wire.LayerID(first))
		require.NoError(t, err)
		blocks := 0
		for _, r := range rows {
			if r.Block != (wire.BlockID{}) {
				blocks++
			}
		}
		return blocks >= 3
	}, 70*time.Second, 200*time.Millisecond)
}
