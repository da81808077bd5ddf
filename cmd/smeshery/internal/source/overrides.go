package source

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// setting changes one number of a network.
type setting func(p *network.Params, raw json.RawMessage) error

// into decodes a value of a configuration and stores it where field points.
func into[T any](decode func(json.RawMessage) (T, error), field func(*network.Params) *T) setting {
	return func(p *network.Params, raw json.RawMessage) error {
		v, err := decode(raw)
		if err == nil {
			*field(p) = v
		}
		return err
	}
}

// settings are the keys of a go-spacemesh configuration that matter to the
// protocol (spec 09 §11.4).
func settings() map[string]setting {
	type P = network.Params
	s := map[string]setting{
		"main.layer-duration":                 into(duration, func(p *P) *time.Duration { return &p.LayerDuration }),
		"main.layers-per-epoch":               into(number[uint32], func(p *P) *uint32 { return &p.LayersPerEpoch }),
		"main.layer-average-size":             into(number[uint32], func(p *P) *uint32 { return &p.LayerAverageSize }),
		"main.tick-size":                      into(number[uint64], func(p *P) *uint64 { return &p.TickSize }),
		"main.atx-versions":                   into(atxVersions, func(p *P) *[]network.ATXVersion { return &p.ATXVersions }),
		"main.network-hrp":                    into(text, func(p *P) *string { return &p.HRP }),
		"main.txs-per-proposal":               into(number[int], func(p *P) *int { return &p.TxsPerProposal }),
		"main.block-gas-limit":                into(number[uint64], func(p *P) *uint64 { return &p.BlockGasLimit }),
		"main.optimistic-filtering-threshold": into(number[int], func(p *P) *int { return &p.OptimisticFilteringThreshold }),
		"main.atx-grade-delay":                into(duration, func(p *P) *time.Duration { return &p.ATXGradeDelay }),
		"main.miner-good-atxs-percent":        into(number[int], func(p *P) *int { return &p.MinerGoodATXsPercent }),
		"main.regossip-atx-interval":          into(duration, func(p *P) *time.Duration { return &p.RegossipATXInterval }),
		"main.post-valid-delay":               into(duration, func(p *P) *time.Duration { return &p.Post.ValidDelay }),

		"genesis.genesis-time":       into(instant, func(p *P) *time.Time { return &p.Genesis.Time }),
		"genesis.genesis-extra-data": into(text, func(p *P) *string { return &p.Genesis.ExtraData }),
		"genesis.accounts":           into(accounts, func(p *P) *[]network.GenesisAccount { return &p.Genesis.Accounts }),

		"post.post-k1":                                  into(number[uint32], func(p *P) *uint32 { return &p.Post.K1 }),
		"post.post-k2":                                  into(number[uint32], func(p *P) *uint32 { return &p.Post.K2 }),
		"post.post-k3":                                  into(number[uint32], func(p *P) *uint32 { return &p.Post.K3 }),
		"post.post-labels-per-unit":                     into(number[uint64], func(p *P) *uint64 { return &p.Post.LabelsPerUnit }),
		"post.post-min-numunits":                        into(number[uint32], func(p *P) *uint32 { return &p.Post.MinNumUnits }),
		"post.post-max-numunits":                        into(number[uint32], func(p *P) *uint32 { return &p.Post.MaxNumUnits }),
		"post.post-pow-difficulty":                      into(difficulty, func(p *P) *[32]byte { return &p.Post.PowDifficulty }),
		"smeshing.smeshing-opts.smeshing-opts-scrypt.n": into(number[uint32], func(p *P) *uint32 { return &p.Post.ScryptN }),
		"smeshing.smeshing-opts.smeshing-opts-scrypt.r": onlyOne,
		"smeshing.smeshing-opts.smeshing-opts-scrypt.p": onlyOne,

		"poet.phase-shift":                       into(duration, func(p *P) *time.Duration { return &p.Poet.PhaseShift }),
		"poet.cycle-gap":                         into(duration, func(p *P) *time.Duration { return &p.Poet.CycleGap }),
		"poet.grace-period":                      into(duration, func(p *P) *time.Duration { return &p.Poet.GracePeriod }),
		"poet.poet-request-timeout":              into(duration, func(p *P) *time.Duration { return &p.Poet.RequestTimeout }),
		"poet.positioning-atx-selection-timeout": into(duration, func(p *P) *time.Duration { return &p.Poet.PositioningATXSelectionTimeout }),

		"tortoise.tortoise-hdist":          into(number[uint32], func(p *P) *uint32 { return &p.Tortoise.Hdist }),
		"tortoise.tortoise-zdist":          into(number[uint32], func(p *P) *uint32 { return &p.Tortoise.Zdist }),
		"tortoise.tortoise-window-size":    into(number[uint32], func(p *P) *uint32 { return &p.Tortoise.WindowSize }),
		"tortoise.tortoise-max-exceptions": into(number[uint32], func(p *P) *uint32 { return &p.Tortoise.MaxExceptions }),
		"tortoise.tortoise-delay-layers":   into(number[uint32], func(p *P) *uint32 { return &p.Tortoise.BadBeaconDelayLayers }),
		"tortoise.historicalwindowsize":    into(windows, func(p *P) *[]network.WindowInterval { return &p.Tortoise.HistoricalWindows }),
		"tortoise.minimalactivesetweight":  into(weights, func(p *P) *[]network.EpochWeight { return &p.Tortoise.MinimalActiveSetWeight }),

		"certificate.committee-size": into(number[uint16], func(p *P) *uint16 { return &p.Certificate.CommitteeSize }),

		"hare-eligibility.eligibility-confidence-param": into(number[uint32], func(p *P) *uint32 { return &p.EligibilityConfidence }),

		"active-set-preparation.window":         into(duration, func(p *P) *time.Duration { return &p.ActiveSet.Window }),
		"active-set-preparation.retry-interval": into(duration, func(p *P) *time.Duration { return &p.ActiveSet.RetryInterval }),
		"active-set-preparation.tries":          into(number[int], func(p *P) *int { return &p.ActiveSet.Tries }),

		"beacon.beacon-kappa":                       into(number[uint64], func(p *P) *uint64 { return &p.Beacon.Kappa }),
		"beacon.beacon-q":                           into(fraction, func(p *P) *network.Fraction { return &p.Beacon.Q }),
		"beacon.beacon-theta":                       into(fraction, func(p *P) *network.Fraction { return &p.Beacon.Theta }),
		"beacon.beacon-rounds-number":               into(number[uint32], func(p *P) *uint32 { return &p.Beacon.RoundsNumber }),
		"beacon.beacon-votes-limit":                 into(number[uint32], func(p *P) *uint32 { return &p.Beacon.VotesLimit }),
		"beacon.beacon-sync-weight-units":           into(number[uint32], func(p *P) *uint32 { return &p.Beacon.SyncWeightUnits }),
		"beacon.beacon-grace-period-duration":       into(duration, func(p *P) *time.Duration { return &p.Beacon.GracePeriod }),
		"beacon.beacon-proposal-duration":           into(duration, func(p *P) *time.Duration { return &p.Beacon.ProposalDuration }),
		"beacon.beacon-first-voting-round-duration": into(duration, func(p *P) *time.Duration { return &p.Beacon.FirstVotingRoundDuration }),
		"beacon.beacon-voting-round-duration":       into(duration, func(p *P) *time.Duration { return &p.Beacon.VotingRoundDuration }),
		"beacon.beacon-weak-coin-round-duration":    into(duration, func(p *P) *time.Duration { return &p.Beacon.WeakCoinRoundDuration }),
	}
	hareSettings(s, "hare3", func(p *P) *network.HareParams { return &p.Hare3 })
	hareSettings(s, "hare4", func(p *P) *network.HareParams { return &p.Hare4 })
	return s
}

// hareSettings are the same for both versions of hare.
func hareSettings(s map[string]setting, section string, h func(*network.Params) *network.HareParams) {
	type P = network.Params
	upgrade := func(p *P) *network.CommitteeUpgrade {
		if h(p).Upgrade == nil {
			h(p).Upgrade = new(network.CommitteeUpgrade)
		}
		return h(p).Upgrade
	}
	for key, set := range map[string]setting{
		"enable":                 into(boolean, func(p *P) *bool { return &h(p).Enable }),
		"enable-layer":           into(number[wire.LayerID], func(p *P) *wire.LayerID { return &h(p).EnableLayer }),
		"disable-layer":          into(number[wire.LayerID], func(p *P) *wire.LayerID { return &h(p).DisableLayer }),
		"committee":              into(number[uint16], func(p *P) *uint16 { return &h(p).Committee }),
		"committeeupgrade.layer": into(number[wire.LayerID], func(p *P) *wire.LayerID { return &upgrade(p).Layer }),
		"committeeupgrade.size":  into(number[uint16], func(p *P) *uint16 { return &upgrade(p).Size }),
		"leaders":                into(number[uint16], func(p *P) *uint16 { return &h(p).Leaders }),
		"iterations-limit":       into(number[uint8], func(p *P) *uint8 { return &h(p).IterationsLimit }),
		"preround-delay":         into(duration, func(p *P) *time.Duration { return &h(p).PreroundDelay }),
		"round-duration":         into(duration, func(p *P) *time.Duration { return &h(p).RoundDuration }),
		"protocolname":           into(text, func(p *P) *string { return &h(p).ProtocolName }),
		"log-stats":              func(*network.Params, json.RawMessage) error { return nil },
	} {
		s[section+"."+key] = set
	}
}

// ofNodeOnly are sections and keys that a node keeps to itself: nothing that
// other nodes can see follows from them. A name stands for all below it.
var ofNodeOnly = []string{
	"preset", "api", "bootstrap", "cache", "certifier", "fetch", "logging", "p2p", "postservice", "public-metrics",
	"recovery", "smeshing", "syncer", "time", "vm",
	"main.data-folder", "main.db-", "main.filelock", "main.metrics", "main.metrics-port", "main.no-main-override", "main.poet-server", "main.poet-servers",
	"main.pprof-", "main.profiler-", "main.prune-activesets-from", "main.standalone",
	"poet.info-cache-ttl", "poet.poet-proofs-cache", "poet.pow-params-cache-ttl", "poet.retry-",
	"tortoise.layersize", "tortoise.tortoise-collect-details", "tortoise.tortoise-enable-tracer",
	// Derived from the committee's size by every node.
	"certificate.certifythreshold", "certificate.layerbuffer", "certificate.numlayerstokeep",
}

func isOfNodeOnly(key string) bool {
	return slices.ContainsFunc(ofNodeOnly, func(name string) bool {
		rest, ok := strings.CutPrefix(key, name)
		return ok && (rest == "" || rest[0] == '.' || strings.HasSuffix(name, "-"))
	})
}

// override applies sections of a configuration; problems come all at once.
func override(p *network.Params, sections map[string]json.RawMessage) error {
	leaves := make(map[string]json.RawMessage)
	known := settings()
	for name, raw := range sections {
		flatten(strings.ToLower(name), raw, known, leaves)
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(leaves)) {
		set, ok := known[key]
		switch {
		case ok:
			if err := set(p, leaves[key]); err != nil {
				problems = append(problems, fmt.Errorf("overrides: %s: %w", key, err))
			}
		case !isOfNodeOnly(key):
			problems = append(problems, fmt.Errorf("overrides: %s is not known, and may matter to the protocol", key))
		}
	}
	return errors.Join(problems...)
}

// flatten turns nested objects into paths, until a path is a known key. Case
// does not count; null and an empty object say nothing.
func flatten(path string, raw json.RawMessage, known map[string]setting, leaves map[string]json.RawMessage) {
	var inner map[string]json.RawMessage
	if string(raw) == "null" {
		return
	}
	if _, leaf := known[path]; leaf || json.Unmarshal(raw, &inner) != nil {
		leaves[path] = raw
		return
	}
	for name, value := range inner {
		flatten(path+"."+strings.ToLower(name), value, known, leaves)
	}
}

// onlyOne refuses scrypt parameters that no network has.
func onlyOne(_ *network.Params, raw json.RawMessage) error {
	n, err := number[uint32](raw)
	if err == nil && n != 1 {
		err = fmt.Errorf("is %d, and only 1 is supported", n)
	}
	return err
}

func genesisAccounts(m map[string]uint64) []network.GenesisAccount {
	out := make([]network.GenesisAccount, 0, len(m))
	for _, a := range slices.Sorted(maps.Keys(m)) {
		out = append(out, network.GenesisAccount{Address: a, Balance: m[a]})
	}
	return out
}

func atxVersions(raw json.RawMessage) ([]network.ATXVersion, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, errors.New("want an object from epochs to versions")
	}
	var out []network.ATXVersion
	for key, value := range m {
		epoch, err := strconv.ParseUint(key, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no epoch", key)
		}
		version, err := number[uint8](value)
		if err != nil {
			return nil, err
		}
		if version < 1 || version > 2 {
			return nil, fmt.Errorf("version %d is neither 1 nor 2", version)
		}
		out = append(out, network.ATXVersion{Epoch: wire.EpochID(epoch), Version: version})
	}
	slices.SortFunc(out, func(a, b network.ATXVersion) int { return cmp.Compare(a.Epoch, b.Epoch) })
	if !slices.IsSortedFunc(out, func(a, b network.ATXVersion) int { return cmp.Compare(a.Version, b.Version) }) {
		return nil, errors.New("versions must not decrease")
	}
	return out, nil
}

func windows(raw json.RawMessage) ([]network.WindowInterval, error) {
	var list []struct {
		Start, End wire.LayerID
		Window     uint32
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("want a list of {start, end, window}")
	}
	var out []network.WindowInterval
	for _, w := range list {
		out = append(out, network.WindowInterval(w))
	}
	return out, nil
}

func weights(raw json.RawMessage) ([]network.EpochWeight, error) {
	var list []struct {
		Epoch  wire.EpochID
		Weight uint64
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("want a list of {epoch, weight}")
	}
	var out []network.EpochWeight
	for _, w := range list {
		out = append(out, network.EpochWeight(w))
	}
	slices.SortFunc(out, func(a, b network.EpochWeight) int { return cmp.Compare(a.Epoch, b.Epoch) })
	return out, nil
}

func accounts(raw json.RawMessage) ([]network.GenesisAccount, error) {
	var m map[string]uint64
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, errors.New("want an object from addresses to balances")
	}
	return genesisAccounts(m), nil
}

// maxOf is the largest value of an unsigned type, or of int.
func maxOf[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int]() uint64 {
	if ones := ^T(0); ones > 0 {
		return uint64(ones)
	}
	return math.MaxInt
}
