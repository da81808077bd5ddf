package network

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func epochID(e uint32) wire.EpochID { return wire.EpochID(e) }

func (f Fraction) text() string { return fmt.Sprintf("%d/%d", f.Num, f.Denom) }

// layerText is how layers stand in a configuration.
func layerText(l wire.LayerID) string { return strconv.FormatUint(uint64(l), 10) }

func upgradeOf(h *HareParams, prefix string, out map[string]any) {
	if h.Upgrade == nil {
		out[prefix+".committeeupgrade"] = nil
		return
	}
	out[prefix+".committeeupgrade.layer"] = layerText(h.Upgrade.Layer)
	out[prefix+".committeeupgrade.size"] = h.Upgrade.Size
}

func hareConfig(h *HareParams, prefix string, out map[string]any) {
	upgradeOf(h, prefix, out)
	out[prefix+".enable"] = h.Enable
	out[prefix+".enable-layer"] = layerText(h.EnableLayer)
	out[prefix+".disable-layer"] = layerText(h.DisableLayer)
	out[prefix+".committee"] = h.Committee
	out[prefix+".leaders"] = h.Leaders
	out[prefix+".iterations-limit"] = h.IterationsLimit
	out[prefix+".preround-delay"] = h.PreroundDelay.String()
	out[prefix+".round-duration"] = h.RoundDuration.String()
	out[prefix+".protocolname"] = h.ProtocolName
}

// config is a network as a configuration of the existing software states it.
func config(p *Params) map[string]any {
	accounts := make(map[string]uint64)
	for _, a := range p.Genesis.Accounts {
		accounts[a.Address] = a.Balance
	}
	versions := make(map[string]uint8)
	for _, v := range p.ATXVersions {
		versions[v.Epoch.String()] = v.Version
	}
	out := map[string]any{
		"genesis.accounts":           accounts,
		"genesis.genesis-extra-data": p.Genesis.ExtraData,
		"genesis.genesis-time":       p.Genesis.Time.Format(time.RFC3339),

		"main.network-hrp":                      p.HRP,
		"main.layer-duration":                   p.LayerDuration.String(),
		"main.layers-per-epoch":                 p.LayersPerEpoch,
		"main.layer-average-size":               p.LayerAverageSize,
		"main.tick-size":                        p.TickSize,
		"main.atx-versions":                     versions,
		"main.txs-per-proposal":                 p.TxsPerProposal,
		"main.block-gas-limit":                  p.BlockGasLimit,
		"main.optimistic-filtering-threshold":   p.OptimisticFilteringThreshold,
		"main.atx-grade-delay":                  p.ATXGradeDelay.String(),
		"main.miner-good-atxs-percent":          p.MinerGoodATXsPercent,
		"main.regossip-atx-interval":            p.RegossipATXInterval.String(),
		"main.post-valid-delay":                 p.Post.ValidDelay.String(),
		"active-set-preparation.window":         p.ActiveSet.Window.String(),
		"active-set-preparation.tries":          p.ActiveSet.Tries,
		"certificate.committee-size":            p.Certificate.CommitteeSize,
		"poet.phase-shift":                      p.Poet.PhaseShift.String(),
		"poet.cycle-gap":                        p.Poet.CycleGap.String(),
		"poet.grace-period":                     p.Poet.GracePeriod.String(),
		"poet.poet-request-timeout":             p.Poet.RequestTimeout.String(),
		"active-set-preparation.retry-interval": p.ActiveSet.RetryInterval.String(),

		"poet.positioning-atx-selection-timeout":        p.Poet.PositioningATXSelectionTimeout.String(),
		"hare-eligibility.eligibility-confidence-param": p.EligibilityConfidence,

		"post.post-k1":              p.Post.K1,
		"post.post-k2":              p.Post.K2,
		"post.post-k3":              p.Post.K3,
		"post.post-labels-per-unit": p.Post.LabelsPerUnit,
		"post.post-min-numunits":    p.Post.MinNumUnits,
		"post.post-max-numunits":    p.Post.MaxNumUnits,
		"post.post-pow-difficulty":  hex.EncodeToString(p.Post.PowDifficulty[:]),

		"smeshing.smeshing-opts.smeshing-opts-scrypt.n": p.Post.ScryptN,

		"tortoise.tortoise-hdist":          p.Tortoise.Hdist,
		"tortoise.tortoise-zdist":          p.Tortoise.Zdist,
		"tortoise.tortoise-window-size":    p.Tortoise.WindowSize,
		"tortoise.historicalwindowsize":    p.Tortoise.HistoricalWindows,
		"tortoise.minimalactivesetweight":  p.Tortoise.MinimalActiveSetWeight,
		"tortoise.tortoise-max-exceptions": p.Tortoise.MaxExceptions,
		"tortoise.tortoise-delay-layers":   p.Tortoise.BadBeaconDelayLayers,

		"beacon.beacon-kappa":                       p.Beacon.Kappa,
		"beacon.beacon-q":                           p.Beacon.Q.text(),
		"beacon.beacon-theta":                       p.Beacon.Theta.text(),
		"beacon.beacon-rounds-number":               p.Beacon.RoundsNumber,
		"beacon.beacon-votes-limit":                 p.Beacon.VotesLimit,
		"beacon.beacon-sync-weight-units":           p.Beacon.SyncWeightUnits,
		"beacon.beacon-grace-period-duration":       p.Beacon.GracePeriod.String(),
		"beacon.beacon-proposal-duration":           p.Beacon.ProposalDuration.String(),
		"beacon.beacon-first-voting-round-duration": p.Beacon.FirstVotingRoundDuration.String(),
		"beacon.beacon-voting-round-duration":       p.Beacon.VotingRoundDuration.String(),
		"beacon.beacon-weak-coin-round-duration":    p.Beacon.WeakCoinRoundDuration.String(),
	}
	hareConfig(&p.Hare3, "hare3", out)
	hareConfig(&p.Hare4, "hare4", out)
	return out
}

// ofNetworks are the sections that describe a network rather than a node.
var ofNetworks = []string{
	"active-set-preparation.", "beacon.", "certificate.", "genesis.", "hare-eligibility.", "hare3.", "hare4.",
	"poet.", "post.", "tortoise.",
}

// ofNodes are settings in those sections that do not describe a network, or that
// no network sets.
var ofNodes = []string{
	"certificate.certifythreshold", "certificate.layerbuffer", "certificate.numlayerstokeep",
	"hare3.log-stats", "hare4.log-stats",
	"poet.info-cache-ttl", "poet.poet-proofs-cache", "poet.pow-params-cache-ttl", "poet.retry-delay", "poet.retry-max",
	"tortoise.layersize", "tortoise.tortoise-collect-details", "tortoise.tortoise-enable-tracer",
}

func isNetwork(key string) bool {
	return !slices.Contains(ofNodes, key) &&
		slices.ContainsFunc(ofNetworks, func(section string) bool { return strings.HasPrefix(key, section) })
}

// canonical brings a stated value to one form: exact numbers, sorted keys, and
// nothing told apart from an empty list or map.
func canonical(t *testing.T, raw []byte) string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			return "null"
		}
	case map[string]any:
		if len(v) == 0 {
			return "null"
		}
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

// TestPresetsAreThoseOfTheNetwork compares the presets with what the existing
// software prints for them. The file holds settings of nodes as well, which the
// parts that own them compare.
func TestPresetsAreThoseOfTheNetwork(t *testing.T) {
	var file struct {
		Cases []struct {
			Values map[string]map[string]json.RawMessage `json:"values"`
		} `json:"cases"`
	}
	vectors.Load(t, "api/config_presets", &file)
	require.NotEmpty(t, file.Cases)
	for _, c := range file.Cases {
		for _, name := range []string{MainnetName, TestnetName, FastnetName, StandaloneName} {
			t.Run(name, func(t *testing.T) {
				stated := c.Values[name]
				require.NotEmpty(t, stated)
				p, err := Preset(name)
				require.NoError(t, err)
				ours := config(&p)
				for _, key := range slices.Sorted(maps.Keys(stated)) {
					if isNetwork(key) {
						require.Contains(t, ours, key)
					}
				}
				for _, key := range slices.Sorted(maps.Keys(ours)) {
					require.Contains(t, stated, key)
					raw, err := json.Marshal(ours[key])
					require.NoError(t, err)
					require.Equal(t, canonical(t, stated[key]), canonical(t, raw), key)
				}
				require.Equal(t, "1", canonical(t, stated["smeshing.smeshing-opts.smeshing-opts-scrypt.r"]))
				require.Equal(t, "1", canonical(t, stated["smeshing.smeshing-opts.smeshing-opts-scrypt.p"]))
			})
		}
	}
}
