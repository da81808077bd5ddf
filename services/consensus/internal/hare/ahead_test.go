package hare_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Proofs that take longer than rounds hold none of them up: they are made ahead.
func TestSlowProofsKeepTime(t *testing.T) {
	inBubble(t, network.Standalone(), 1, 1, func(t *testing.T, c *cluster) {
		n := c.nodes[0]
		n.slowProofs = 250 * time.Millisecond
		n.start()
		for layer := c.genesis + 1; layer < c.genesis+4; layer++ {
			before := len(n.published)
			c.run(layer)
			start := c.params.Genesis.Time.Add(time.Duration(layer) * c.params.LayerDuration)
			due := []time.Duration{1000, 1200, 1500, 1600, 1900, 2200, 2300}
			require.Len(t, n.published[before:], len(due))
			for i, p := range n.published[before:] {
				require.Equal(t, due[i]*time.Millisecond+latency, p.at.Sub(start), "layer %d, message %d", layer, i)
			}
		}
	})
}

// An identity that comes in between two layers is in the next one.
func TestIdentitiesChangeBetweenLayers(t *testing.T) {
	inBubble(t, network.Standalone(), 1, 2, func(t *testing.T, c *cluster) {
		n, all := c.nodes[0], c.nodes[0].own
		n.own = all[:1]
		n.start()
		c.run(c.genesis + 1)
		n.own = all // what is prepared for the next layer does not know the second
		c.run(c.genesis + 2)
		for speakers, layer := range []wire.LayerID{c.genesis, c.genesis + 1, c.genesis + 2} {
			in := 0
			for _, at := range n.said(layer) {
				if at == (wire.IterRound{}) {
					in++
				}
			}
			require.Equal(t, speakers, in, "in the preround of layer %d", layer)
		}
	})
}

// What is signed after its session ended is dropped.
func TestSignaturesAfterTheSessionAreNotPublished(t *testing.T) {
	inBubble(t, network.Standalone(), 1, 2, func(t *testing.T, c *cluster) {
		n, layer := c.nodes[0], c.genesis+1
		n.slowSigner = 5 * time.Second
		n.start()
		c.run(layer)
		require.False(t, n.driver.InCharge(layer))
		c.at(layer+1, 3*time.Second)
		require.Empty(t, n.said(layer))
	})
}
