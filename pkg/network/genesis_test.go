package network

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorGenesis(t *testing.T) {
	type genesisCase struct {
		Time      time.Time   `json:"genesis_time"`
		ExtraData string      `json:"extra_data"`
		Golden    vectors.Hex `json:"golden_atx"`
		ID        vectors.Hex `json:"genesis_id"`
	}
	vectors.Run(t, "crypto/genesis", func(t *testing.T, c genesisCase) {
		g := Genesis{Time: c.Time.Add(time.Millisecond), ExtraData: c.ExtraData}
		require.Equal(t, wire.ATXID(c.Golden), g.GoldenATX())
		require.Equal(t, wire.Hash20(c.ID), g.ID())
	})
}

func TestGenesisExtraDataLength(t *testing.T) {
	require.ErrorIs(t, Genesis{}.Validate(), ErrExtraData)
	require.NoError(t, Genesis{ExtraData: "x"}.Validate())
	require.NoError(t, Genesis{ExtraData: strings.Repeat("x", 255)}.Validate())
	require.ErrorIs(t, Genesis{ExtraData: strings.Repeat("x", 256)}.Validate(), ErrExtraData)
}
