package apigateway_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	alpha "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
)

// Consensus takes 64 questions at a time here. More clients than that are told the
// truth, too, and not that the node is out of sync because consensus is busy.
func TestManyAskWhetherTheNodeIsSynced(t *testing.T) {
	t.Parallel()
	g := start(t)
	node := alpha.NewNodeServiceClient(g.conn)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			s, err := node.Status(t.Context(), &alpha.NodeStatusRequest{})
			assert.NoError(t, err)
			assert.Equal(t, alpha.NodeStatusResponse_SYNC_STATUS_SYNCED, s.GetStatus())
		})
	}
	all.Wait()
}
