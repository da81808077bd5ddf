package bootstrap

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorBootstrap(t *testing.T) {
	vectors.Run(t, "p2p/bootstrap", func(t *testing.T, c struct {
		Op        string         `json:"op"`
		JSON      string         `json:"json"`
		Version   string         `json:"expected_version"`
		Outcome   string         `json:"outcome"`
		Epoch     wire.EpochID   `json:"epoch"`
		Beacon    vectors.Hex    `json:"beacon"`
		ActiveSet []vectors.Hex  `json:"active_set"`
		Current   wire.EpochID   `json:"current_epoch"`
		Genesis   wire.EpochID   `json:"effective_genesis_epoch"`
		Epochs    []wire.EpochID `json:"epochs"`
		Base      string         `json:"base_url"`
		Suffix    Suffix         `json:"suffix"`
		URL       string         `json:"url"`
		File      string         `json:"file"`
	},
	) {
		switch c.Op {
		case "validate":
			u, err := Parse([]byte(c.JSON), c.Version)
			require.Equal(t, c.Outcome, outcome(err), "%v", err)
			if err != nil {
				return
			}
			want := &Update{Epoch: c.Epoch, Beacon: wire.Beacon(c.Beacon)}
			for _, id := range c.ActiveSet {
				want.ActiveSet = append(want.ActiveSet, wire.ATXID(id))
			}
			require.Equal(t, want, u)
		case "required_epochs":
			require.Equal(t, c.Epochs, RequiredEpochs(c.Current, c.Genesis))
		case "names":
			require.Equal(t, c.URL, URL(c.Base, c.Epoch, c.Suffix))
			require.Equal(t, c.File, path.Join("DATADIR", File(c.Epoch, c.Suffix)))
		default:
			t.Fatalf("unknown op %q", c.Op)
		}
	})
}

func outcome(err error) string {
	for name, reason := range map[string]error{
		"not_json": ErrNotJSON, "schema": ErrSchema, "unmarshal": ErrTypes, "wrong_version": ErrVersion,
		"invalid_beacon": ErrInvalidBeacon,
	} {
		if errors.Is(err, reason) {
			return name
		}
	}
	return "ok"
}

func TestWholeNumbers(t *testing.T) {
	for text, whole := range map[string]bool{
		"0": true, "-0": true, "7": true, "7.0": true, "70e-1": true, "7e0": true, "1E3": true, "-1": false, "0.5": false,
		"7e-1": false, "1e999999999": true, "1e-999999999": false, "0e999999999": true, "-1e999999999": false,
		"1e99999999999999999999": true,
	} {
		require.Equal(t, whole, isWhole(text), text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"version":"` + Version + `","data":{"epoch":{"number":1,"beacon":"aabbccdd","activeSet":["00"]}}}`)
	f.Add(`{"version":"","data":{"epoch":{"number":1e999999999}}}`)
	f.Add(strings.Repeat("[", 100))
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := Parse([]byte(raw), Version)
		require.Equal(t, err == nil, u != nil)
	})
}
