package network

import (
	"fmt"
	"math"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Names of the built-in networks.
const (
	MainnetName    = "mainnet"
	TestnetName    = "testnet"
	FastnetName    = "fastnet"
	StandaloneName = "standalone"
)

const never = wire.LayerID(math.MaxUint32)

// Preset returns a built-in network by name.
func Preset(name string) (Params, error) {
	switch name {
	case MainnetName:
		return Mainnet(), nil
	case TestnetName:
		return Testnet(), nil
	case FastnetName:
		return Fastnet(), nil
	case StandaloneName:
		return Standalone(), nil
	}
	return Params{}, fmt.Errorf("preset %q is not one of %s, %s, %s, %s",
		name, MainnetName, TestnetName, FastnetName, StandaloneName)
}

// allOnes is the easiest PoST proof of work.
func allOnes() (d [32]byte) {
	for i := range d {
		d[i] = 0xff
	}
	return d
}

func hare4Off() HareParams {
	return HareParams{
		DisableLayer: never, Committee: 50, Leaders: 5, IterationsLimit: 4,
		PreroundDelay: 25 * time.Second, RoundDuration: 12 * time.Second, ProtocolName: "/h/4.0",
	}
}

// Mainnet is the public network (spec 01 §24).
func Mainnet() Params {
	return Params{
		Name: MainnetName, HRP: "sm",
		Genesis: Genesis{
			Time:      time.Unix(1689321600, 0).UTC(),
			ExtraData: "00000000000000000001a6bc150307b5c1998045752b3c87eccf3c013036f3cc",
			Accounts:  mainnetAccounts(),
		},
		LayerDuration: 5 * time.Minute, LayersPerEpoch: 4032, LayerAverageSize: 50, TickSize: 9_331_200,
		TxsPerProposal: 700, BlockGasLimit: 100_107_000, OptimisticFilteringThreshold: 90,
		ATXGradeDelay: 30 * time.Minute, RegossipATXInterval: 2 * time.Hour,
		Post: PostParams{
			K1: 26, K2: 37, K3: 1, LabelsPerUnit: 1 << 32, MinNumUnits: 4, MaxNumUnits: math.MaxUint32,
			PowDifficulty: [32]byte{0x00, 0x0d, 0xfb, 0x23, 0xb0, 0x97, 0x9b, 0x4b},
			ScryptN:       8192, ValidDelay: math.MaxInt64,
		},
		Poet: PoetParams{
			PhaseShift: 240 * time.Hour, CycleGap: 12 * time.Hour, GracePeriod: time.Hour,
			PositioningATXSelectionTimeout: 50 * time.Minute, RequestTimeout: 1100 * time.Second,
		},
		Tortoise: TortoiseParams{
			Hdist: 10, Zdist: 2, WindowSize: 4032,
			HistoricalWindows:      []WindowInterval{{Start: 0, End: 30_000, Window: 10_000}},
			MinimalActiveSetWeight: []EpochWeight{{Epoch: 0, Weight: 1_000_000}},
			MaxExceptions:          1000, BadBeaconDelayLayers: 4032,
		},
		Hare3: HareParams{
			Enable: true, EnableLayer: 35_117, DisableLayer: never, Committee: 400,
			Upgrade: &CommitteeUpgrade{Layer: 105_720, Size: 50}, Leaders: 5, IterationsLimit: 4,
			PreroundDelay: 25 * time.Second, RoundDuration: 12 * time.Second, ProtocolName: "/h/3.0",
		},
		Hare4:       hare4Off(),
		Certificate: CertificateParams{CommitteeSize: 200},
		Beacon:      slowBeacon(0),
		ActiveSet:   ActiveSetParams{Window: time.Hour, RetryInterval: time.Minute, Tries: 20},

		EligibilityConfidence: 200,
	}
}

// Testnet is the public test network (spec 01 §24).
func Testnet() Params {
	return Params{
		Name: TestnetName, HRP: "stest",
		Genesis: Genesis{
			Time:      time.Unix(1694628000, 0).UTC(),
			ExtraData: "0000000000000000000000c76c58ebac180989673fd6d237b40e66ed5c976ec3",
		},
		LayerDuration: 5 * time.Minute, LayersPerEpoch: 288, LayerAverageSize: 50, TickSize: 666_514,
		TxsPerProposal: 700, BlockGasLimit: 100_107_000, OptimisticFilteringThreshold: 90,
		ATXGradeDelay: 30 * time.Minute, RegossipATXInterval: time.Hour,
		Post: PostParams{
			K1: 26, K2: 37, K3: 1, LabelsPerUnit: 1024, MinNumUnits: 2, MaxNumUnits: math.MaxUint32,
			PowDifficulty: allOnes(), ScryptN: 8192,
		},
		Poet: PoetParams{
			PhaseShift: 12 * time.Hour, CycleGap: 2 * time.Hour, GracePeriod: 10 * time.Minute,
			RequestTimeout: 550 * time.Second,
		},
		Tortoise: TortoiseParams{
			Hdist: 10, Zdist: 2, WindowSize: 10_000,
			MinimalActiveSetWeight: []EpochWeight{{Epoch: 0, Weight: 10_000}},
			MaxExceptions:          1000, BadBeaconDelayLayers: 4032,
		},
		Hare3: HareParams{
			Enable: true, EnableLayer: 7366, DisableLayer: never, Committee: 800, Leaders: 5, IterationsLimit: 4,
			PreroundDelay: 25 * time.Second, RoundDuration: 12 * time.Second,
		},
		Hare4:       hare4Off(),
		Certificate: CertificateParams{CommitteeSize: 200},
		Beacon:      slowBeacon(20),
		ActiveSet:   ActiveSetParams{Window: 10 * time.Minute, RetryInterval: time.Minute, Tries: 5},

		EligibilityConfidence: 20,
	}
}

// Fastnet is a network of one-minute epochs for tests (spec 01 §24).
func Fastnet() Params {
	p := quickNet()
	p.Name, p.HRP = FastnetName, "stest"
	p.Genesis.ExtraData = "fastnet"
	p.LayerDuration, p.LayersPerEpoch = 15*time.Second, 4
	p.ATXGradeDelay, p.RegossipATXInterval = time.Second, 30*time.Second
	p.MinerGoodATXsPercent = 50
	p.Post.LabelsPerUnit, p.Post.MinNumUnits, p.Post.MaxNumUnits, p.Post.ScryptN = 128, 2, 4, 2
	p.Poet.GracePeriod = 10 * time.Second
	p.Tortoise.Hdist, p.Tortoise.BadBeaconDelayLayers = 4, 2
	p.Hare3.Leaders, p.Hare3.IterationsLimit = 10, 2
	p.Hare3.PreroundDelay, p.Hare3.RoundDuration = 3*time.Second, 700*time.Millisecond
	return p
}

// Standalone is a network in one process (spec 01 §24).
func Standalone() Params {
	p := quickNet()
	p.Name, p.HRP = StandaloneName, "standalone"
	p.Genesis.ExtraData = "standalone"
	p.LayerDuration, p.LayersPerEpoch = 6*time.Second, 10
	p.ATXGradeDelay = 10 * time.Second
	p.Post.LabelsPerUnit, p.Post.MinNumUnits, p.Post.MaxNumUnits, p.Post.ScryptN = 64, 1, 2, 8192
	p.Poet.GracePeriod = 12 * time.Second
	p.Tortoise.Hdist = 2
	p.Hare3.Leaders, p.Hare3.IterationsLimit = 5, 4
	p.Hare3.PreroundDelay, p.Hare3.RoundDuration = time.Second, 100*time.Millisecond
	return p
}

// quickNet is what the two small networks share.
func quickNet() Params {
	return Params{
		LayerAverageSize: 50, TickSize: 100,
		TxsPerProposal: 100, BlockGasLimit: math.MaxUint64, OptimisticFilteringThreshold: 90,
		Post: PostParams{K1: 12, K2: 4, K3: 1, PowDifficulty: allOnes(), ValidDelay: 12 * time.Hour},
		Poet: PoetParams{
			PhaseShift: 30 * time.Second, CycleGap: 30 * time.Second,
			PositioningATXSelectionTimeout: 8 * time.Second, RequestTimeout: 12 * time.Second,
		},
		Tortoise: TortoiseParams{Zdist: 2, WindowSize: 1000, MaxExceptions: 5000},
		Hare3:    HareParams{Enable: true, DisableLayer: never, Committee: 800, ProtocolName: "/h/3.0"},
		Hare4:    hare4Off(),
		Beacon: BeaconParams{
			Kappa: 40, Q: Fraction{1, 3}, Theta: Fraction{1, 4}, RoundsNumber: 4, VotesLimit: 100, SyncWeightUnits: 10,
			GracePeriod: 30 * time.Second, ProposalDuration: 2 * time.Second,
			FirstVotingRoundDuration: 10 * time.Second, VotingRoundDuration: 2 * time.Second,
			WeakCoinRoundDuration: 2 * time.Second,
		},
		ActiveSet:             ActiveSetParams{Window: time.Second, RetryInterval: time.Second, Tries: 3},
		EligibilityConfidence: 2,
	}
}

func slowBeacon(rounds uint32) BeaconParams {
	return BeaconParams{
		Kappa: 40, Q: Fraction{1, 3}, Theta: Fraction{1, 4}, RoundsNumber: rounds, VotesLimit: 100, SyncWeightUnits: 800,
		GracePeriod: 10 * time.Minute, ProposalDuration: 4 * time.Minute,
		FirstVotingRoundDuration: 30 * time.Minute, VotingRoundDuration: 4 * time.Minute,
		WeakCoinRoundDuration: 4 * time.Minute,
	}
}
