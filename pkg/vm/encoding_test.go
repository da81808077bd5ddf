package vm_test

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

type resultJSON struct {
	Status    uint8          `json:"status"`
	Message   string         `json:"message"`
	Gas       vectors.Uint64 `json:"gas"`
	Fee       vectors.Uint64 `json:"fee"`
	Block     vectors.Hex    `json:"block"`
	Layer     wire.LayerID   `json:"layer"`
	Addresses []vectors.Hex  `json:"addresses"`
}

type rewardJSON struct {
	Layer       wire.LayerID   `json:"layer"`
	TotalReward vectors.Uint64 `json:"total_reward"`
	LayerReward vectors.Uint64 `json:"layer_reward"`
	Coinbase    vectors.Hex    `json:"coinbase"`
	Smesher     vectors.Hex    `json:"smesher"`
}

// stored is the value that a case describes, and an empty one to decode into.
func stored(t *testing.T, kind string, raw json.RawMessage) (value, empty codec.Coded) {
	read := func(out any) { require.NoError(t, json.Unmarshal(raw, out)) }
	switch kind {
	case "account":
		var c accountJSON
		read(&c)
		account := c.account()
		return &account, &wire.Account{}
	case "tx_header":
		var c headerJSON
		read(&c)
		header := c.header()
		require.Equal(t, uint64(c.Fee), header.Fee())
		require.Equal(t, uint64(c.Spending), vm.Spending(&header))
		return &header, &wire.TxHeader{}
	case "tx_result":
		var c resultJSON
		read(&c)
		result := wire.TransactionResult{
			Status: c.Status, Message: c.Message, Gas: uint64(c.Gas), Fee: uint64(c.Fee),
			Block: wire.BlockID(c.Block), Layer: c.Layer,
		}
		for _, a := range c.Addresses {
			result.Addresses = append(result.Addresses, wire.Address(a))
		}
		return &result, &wire.TransactionResult{}
	case "reward":
		var c rewardJSON
		read(&c)
		return &wire.Reward{
			Layer: c.Layer, TotalReward: uint64(c.TotalReward), LayerReward: uint64(c.LayerReward),
			Coinbase: wire.Address(c.Coinbase), SmesherID: c.Smesher.Array32(),
		}, &wire.Reward{}
	}
	t.Fatalf("kind %q", kind)
	return nil, nil
}

func TestEncodingVectors(t *testing.T) {
	vectors.Run(t, "vm/encodings", func(t *testing.T, raw json.RawMessage) {
		var c struct {
			Kind    string      `json:"kind"`
			Encoded vectors.Hex `json:"encoded"`
		}
		require.NoError(t, json.Unmarshal(raw, &c))
		value, back := stored(t, c.Kind, raw)
		require.Equal(t, c.Encoded.String(), hex.EncodeToString(codec.MustEncode(value)))
		require.NoError(t, codec.Decode(c.Encoded, back))
		require.Equal(t, value, back)
	})
}
