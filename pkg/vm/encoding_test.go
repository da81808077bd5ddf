package vm_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

type encodingCase struct {
	accountJSON
	headerJSON
	Kind        string         `json:"kind"`
	Encoded     vectors.Hex    `json:"encoded"`
	Template    vectors.Hex    `json:"template"`
	Status      uint8          `json:"status"`
	Message     string         `json:"message"`
	Gas         vectors.Uint64 `json:"gas"`
	Fee         vectors.Uint64 `json:"fee"`
	Block       vectors.Hex    `json:"block"`
	Addresses   []vectors.Hex  `json:"addresses"`
	TotalReward vectors.Uint64 `json:"total_reward"`
	LayerReward vectors.Uint64 `json:"layer_reward"`
	Coinbase    vectors.Hex    `json:"coinbase"`
	Smesher     vectors.Hex    `json:"smesher"`
}

func (c *encodingCase) value(t *testing.T) (value, empty codec.Coded) {
	switch c.Kind {
	case "account":
		c.accountJSON.Template = c.Template
		account := c.account()
		return &account, &wire.Account{}
	case "tx_header":
		c.headerJSON.Template = c.Template
		header := c.header()
		require.Equal(t, uint64(c.Fee), header.Fee())
		require.Equal(t, uint64(c.Spending), vm.Spending(&header))
		return &header, &wire.TxHeader{}
	case "tx_result":
		result := wire.TransactionResult{
			Status: c.Status, Message: c.Message, Gas: uint64(c.Gas), Fee: uint64(c.Fee),
			Block: wire.BlockID(c.Block), Layer: c.Layer,
		}
		for _, a := range c.Addresses {
			result.Addresses = append(result.Addresses, wire.Address(a))
		}
		return &result, &wire.TransactionResult{}
	case "reward":
		return &wire.Reward{
			Layer: c.Layer, TotalReward: uint64(c.TotalReward), LayerReward: uint64(c.LayerReward),
			Coinbase: wire.Address(c.Coinbase), SmesherID: c.Smesher.Array32(),
		}, &wire.Reward{}
	}
	t.Fatalf("kind %q", c.Kind)
	return nil, nil
}

func TestEncodingVectors(t *testing.T) {
	vectors.Run(t, "vm/encodings", func(t *testing.T, c encodingCase) {
		value, back := c.value(t)
		require.Equal(t, c.Encoded.String(), hex.EncodeToString(codec.MustEncode(value)))
		require.NoError(t, codec.Decode(c.Encoded, back))
		require.Equal(t, value, back)
	})
}
