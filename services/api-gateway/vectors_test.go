package apigateway_test

import (
	"encoding/hex"
	"strings"
	"testing"

	alpha "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
)

func TestV2Queries(t *testing.T) {
	g := start(t)
	vectors.Run(t, "api/v2_query", func(t *testing.T, c query) {
		g.query(t, c)
		if c.Error == nil {
			// The bytes on the wire, for whatever JSON does not show.
			m := lookup(t, c.Method)
			raw, err := hex.DecodeString(c.Wire)
			require.NoError(t, err)
			want := m.answer()
			require.NoError(t, proto.Unmarshal(raw, want))
			same(t, want, decode(t, c.Response, m.answer()))
		}
	})
}

// TestV2betaAnswersTheSame asks every question of v2alpha1 of v2beta1.
func TestV2betaAnswersTheSame(t *testing.T) {
	g := start(t)
	vectors.Run(t, "api/v2_query", func(t *testing.T, c query) {
		c.Method = strings.Replace(c.Method, "v2alpha1", "v2beta1", 1)
		g.query(t, c)
	})
}

// written is a case of an address as a client writes it.
type written struct {
	HRP       string      `json:"network_hrp"`
	Input     string      `json:"input"`
	Address   vectors.Hex `json:"address"`
	Canonical string      `json:"canonical"`
	Error     string      `json:"error"`
}

// TestAddresses asks gateways of several networks for accounts.
func TestAddresses(top *testing.T) {
	gateways := make(map[string]*gateway)
	vectors.Run(top, "api/bech32", func(t *testing.T, c written) {
		g := gateways[c.HRP]
		if g == nil {
			g = start(top, func(cfg *apigateway.Config) { cfg.Network.HRP = c.HRP })
			gateways[c.HRP] = g
		}
		list, err := alpha.NewAccountServiceClient(g.conn).List(t.Context(), &alpha.AccountRequest{Addresses: []string{c.Input}, Limit: 1})
		if c.Error != "" {
			(&refusal{Code: codes.InvalidArgument, Name: "InvalidArgument", Message: c.Error}).check(t, err)
			return
		}
		require.NoError(t, err)
		if len(list.Accounts) == 0 {
			db := storetest.Open(t, g.URL, "state")
			_, err = db.Exec(t.Context(), "INSERT INTO accounts (address, layer, balance, next_nonce, state) VALUES ($1, 1, 1, 1, '')", []byte(c.Address))
			require.NoError(t, err)
			list, err = alpha.NewAccountServiceClient(g.conn).List(t.Context(), &alpha.AccountRequest{Addresses: []string{c.Input}, Limit: 1})
			require.NoError(t, err)
		}
		require.Len(t, list.Accounts, 1)
		require.Equal(t, c.Canonical, list.Accounts[0].Address)
	})
}
