package layerclock_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/wire"
)

type layerTime struct {
	GenesisTime      time.Time    `json:"genesis_time"`
	DurationSeconds  int          `json:"layer_duration_seconds"`
	LayersPerEpoch   uint32       `json:"layers_per_epoch"`
	EffectiveGenesis wire.LayerID `json:"effective_genesis"`
	Layers           []layerRow   `json:"layers"`
	Times            []timeRow    `json:"times"`
}

type layerRow struct {
	Layer        wire.LayerID `json:"layer"`
	Epoch        wire.EpochID `json:"epoch"`
	Ordinal      uint32       `json:"ordinal_in_epoch"`
	FirstInEpoch bool         `json:"first_in_epoch"`
	FirstLayer   wire.LayerID `json:"first_layer_of_epoch"`
	Unix         string       `json:"unix_time"`
}

type timeRow struct {
	Nanos string       `json:"nanos_since_genesis"`
	Layer wire.LayerID `json:"layer"`
}

func TestVectorsLayerTime(t *testing.T) {
	vectors.Run(t, "types/layer_time", func(t *testing.T, c layerTime) {
		clock := layerclock.Clock{Genesis: c.GenesisTime, LayerDuration: time.Duration(c.DurationSeconds) * time.Second}
		require.Equal(t, c.EffectiveGenesis, wire.LayerID(2*c.LayersPerEpoch-1))
		for _, row := range c.Layers {
			require.Equal(t, row.Epoch, row.Layer.Epoch(c.LayersPerEpoch))
			require.Equal(t, row.Ordinal, row.Layer.Ordinal(c.LayersPerEpoch))
			require.Equal(t, row.FirstInEpoch, row.Layer.FirstInEpoch(c.LayersPerEpoch))
			require.Equal(t, row.FirstLayer, row.Epoch.FirstLayer(c.LayersPerEpoch))
			require.Equal(t, row.Unix, strconv.FormatInt(clock.Start(row.Layer).Unix(), 10))
		}
		for _, row := range c.Times {
			nanos, err := strconv.ParseInt(row.Nanos, 10, 64)
			require.NoError(t, err)
			require.Equal(t, row.Layer, clock.LayerAt(c.GenesisTime.Add(time.Duration(nanos))))
		}
	})
}

func TestStartAndLayerAtAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := layerclock.Clock{
			Genesis:       time.Unix(1_700_000_000, rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")),
			LayerDuration: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "duration")),
		}
		layer := wire.LayerID(rapid.Uint32Range(0, 2_000_000).Draw(t, "layer"))
		start := clock.Start(layer)
		require.Equal(t, layer, clock.LayerAt(start))
		if layer > 0 {
			require.Equal(t, layer-1, clock.LayerAt(start.Add(-1)))
		}
	})
}
