package nodeconfig

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Params are the numbers of the configured network.
func (c *Config) Params() (network.Params, error) {
	p := network.Params{
		Name: cmp.Or(c.Text("preset"), "mainnet"),
		HRP:  c.Text("main.network-hrp"), Genesis: c.genesis(),
		LayerDuration: c.Duration("main.layer-duration"), LayersPerEpoch: uint32(c.Uint("main.layers-per-epoch")),
		LayerAverageSize: uint32(c.Uint("main.layer-average-size")), TickSize: c.Uint("main.tick-size"),
		TxsPerProposal: int(c.Int("main.txs-per-proposal")), BlockGasLimit: c.Uint("main.block-gas-limit"),
		OptimisticFilteringThreshold: int(c.Int("main.optimistic-filtering-threshold")),
		ATXGradeDelay:                c.Duration("main.atx-grade-delay"), MinerGoodATXsPercent: int(c.Int("main.miner-good-atxs-percent")),
		RegossipATXInterval: c.Duration("main.regossip-atx-interval"),
		Post:                c.postParams(), Poet: c.poetParams(), Tortoise: c.tortoiseParams(),
		Hare3: c.hareParams("hare3"), Hare4: c.hareParams("hare4"),
		Certificate: network.CertificateParams{CommitteeSize: uint16(c.Int("certificate.committee-size"))},
		ActiveSet: network.ActiveSetParams{
			Window: c.Duration("active-set-preparation.window"), RetryInterval: c.Duration("active-set-preparation.retry-interval"),
			Tries: int(c.Int("active-set-preparation.tries")),
		},
		EligibilityConfidence: uint32(c.Uint("hare-eligibility.eligibility-confidence-param")),
	}
	versions := get[map[uint32]uint8](c, "main.atx-versions")
	for _, epoch := range slices.Sorted(maps.Keys(versions)) {
		p.ATXVersions = append(p.ATXVersions, network.ATXVersion{Epoch: wire.EpochID(epoch), Version: versions[epoch]})
	}
	accounts := c.Accounts()
	for _, address := range slices.Sorted(maps.Keys(accounts)) {
		p.Genesis.Accounts = append(p.Genesis.Accounts, network.GenesisAccount{Address: address, Balance: accounts[address]})
	}
	var err error
	p.Beacon, err = c.beaconParams()
	return p, err
}

func (c *Config) postParams() network.PostParams {
	return network.PostParams{
		K1: uint32(c.Uint("post.post-k1")), K2: uint32(c.Uint("post.post-k2")), K3: uint32(c.Uint("post.post-k3")),
		LabelsPerUnit: c.Uint("post.post-labels-per-unit"),
		MinNumUnits:   uint32(c.Uint("post.post-min-numunits")), MaxNumUnits: uint32(c.Uint("post.post-max-numunits")),
		PowDifficulty: get[[32]byte](c, "post.post-pow-difficulty"),
		ScryptN:       uint32(c.Uint("smeshing.smeshing-opts.smeshing-opts-scrypt.n")), ValidDelay: c.Duration("main.post-valid-delay"),
	}
}

func (c *Config) poetParams() network.PoetParams {
	return network.PoetParams{
		PhaseShift: c.Duration("poet.phase-shift"), CycleGap: c.Duration("poet.cycle-gap"), GracePeriod: c.Duration("poet.grace-period"),
		PositioningATXSelectionTimeout: c.Duration("poet.positioning-atx-selection-timeout"), RequestTimeout: c.Duration("poet.poet-request-timeout"),
	}
}

func (c *Config) tortoiseParams() network.TortoiseParams {
	p := network.TortoiseParams{
		Hdist: uint32(c.Uint("tortoise.tortoise-hdist")), Zdist: uint32(c.Uint("tortoise.tortoise-zdist")),
		WindowSize:           uint32(c.Uint("tortoise.tortoise-window-size")),
		MaxExceptions:        uint32(c.Int("tortoise.tortoise-max-exceptions")),
		BadBeaconDelayLayers: uint32(c.Uint("tortoise.tortoise-delay-layers")),
	}
	for _, w := range get[[]Window](c, "tortoise.historicalwindowsize") {
		p.HistoricalWindows = append(p.HistoricalWindows, network.WindowInterval{
			Start: wire.LayerID(w.Start), End: wire.LayerID(w.End), Window: uint32(w.Window),
		})
	}
	for _, w := range get[[]Weight](c, "tortoise.minimalactivesetweight") {
		p.MinimalActiveSetWeight = append(p.MinimalActiveSetWeight, network.EpochWeight{Epoch: wire.EpochID(w.Epoch), Weight: w.Weight})
	}
	return p
}

func (c *Config) hareParams(section string) network.HareParams {
	p := network.HareParams{
		Enable:      c.Bool(section + ".enable"),
		EnableLayer: wire.LayerID(c.Uint(section + ".enable-layer")), DisableLayer: wire.LayerID(c.Uint(section + ".disable-layer")),
		Committee: uint16(c.Uint(section + ".committee")), Leaders: uint16(c.Uint(section + ".leaders")),
		IterationsLimit: uint8(c.Uint(section + ".iterations-limit")),
		PreroundDelay:   c.Duration(section + ".preround-delay"), RoundDuration: c.Duration(section + ".round-duration"),
		ProtocolName: c.Text(section + ".protocolname"),
	}
	if u := get[*Upgrade](c, section+".committeeupgrade"); u != nil {
		p.Upgrade = &network.CommitteeUpgrade{Layer: wire.LayerID(u.Layer), Size: uint16(u.Size)}
	}
	return p
}

func (c *Config) beaconParams() (network.BeaconParams, error) {
	q, err := fraction(get[*big.Rat](c, "beacon.beacon-q"))
	if err != nil {
		return network.BeaconParams{}, fmt.Errorf("beacon.beacon-q: %w", err)
	}
	theta, err := fraction(get[*big.Rat](c, "beacon.beacon-theta"))
	if err != nil {
		return network.BeaconParams{}, fmt.Errorf("beacon.beacon-theta: %w", err)
	}
	return network.BeaconParams{
		Kappa: uint64(c.Int("beacon.beacon-kappa")), Q: q, Theta: theta,
		RoundsNumber: uint32(c.Uint("beacon.beacon-rounds-number")), VotesLimit: uint32(c.Uint("beacon.beacon-votes-limit")),
		SyncWeightUnits: uint32(c.Int("beacon.beacon-sync-weight-units")),
		GracePeriod:     c.Duration("beacon.beacon-grace-period-duration"), ProposalDuration: c.Duration("beacon.beacon-proposal-duration"),
		FirstVotingRoundDuration: c.Duration("beacon.beacon-first-voting-round-duration"),
		VotingRoundDuration:      c.Duration("beacon.beacon-voting-round-duration"),
		WeakCoinRoundDuration:    c.Duration("beacon.beacon-weak-coin-round-duration"),
	}, nil
}

func fraction(r *big.Rat) (network.Fraction, error) {
	if r.Sign() <= 0 || r.Cmp(big.NewRat(1, 1)) > 0 || !r.Denom().IsUint64() {
		return network.Fraction{}, fmt.Errorf("%s is not between 0 and 1", r)
	}
	return network.Fraction{Num: r.Num().Uint64(), Denom: r.Denom().Uint64()}, nil
}
