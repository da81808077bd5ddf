package network

import (
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Params describes a network. Values are set once and never change while a
// process runs; treat slices and maps as read-only.
type Params struct {
	Name string
	// HRP is the prefix of addresses in text form.
	HRP     string
	Genesis Genesis

	LayerDuration  time.Duration
	LayersPerEpoch uint32
	// LayerAverageSize is how many ballots a layer aims at.
	LayerAverageSize uint32
	// TickSize is the number of PoET leaves in a tick.
	TickSize uint64
	// ATXVersions lists where the ATX version changes, ascending by epoch.
	ATXVersions []ATXVersion

	TxsPerProposal               int
	BlockGasLimit                uint64
	OptimisticFilteringThreshold int
	ATXGradeDelay                time.Duration
	MinerGoodATXsPercent         int
	RegossipATXInterval          time.Duration

	Post        PostParams
	Poet        PoetParams
	Tortoise    TortoiseParams
	Hare3       HareParams
	Hare4       HareParams
	Certificate CertificateParams
	Beacon      BeaconParams
	ActiveSet   ActiveSetParams
	// EligibilityConfidence is how many layers hare's active set lags behind.
	EligibilityConfidence uint32
}

// ATXVersion says that ATXs published from Epoch on have Version.
type ATXVersion struct {
	Epoch   wire.EpochID
	Version uint8
}

// PostParams are the numbers of spec 02.
type PostParams struct {
	K1, K2, K3               uint32
	LabelsPerUnit            uint64
	MinNumUnits, MaxNumUnits uint32
	PowDifficulty            [32]byte
	// ScryptN is the only scrypt parameter in which networks differ; r = p = 1.
	ScryptN uint32
	// ValidDelay is how long a node trusts a subset of another's indices
	// before it verifies all of them.
	ValidDelay time.Duration
}

// PoetParams are the round times of spec 03.
type PoetParams struct {
	PhaseShift, CycleGap, GracePeriod time.Duration
	// PositioningATXSelectionTimeout and RequestTimeout bound an identity's waits.
	PositioningATXSelectionTimeout, RequestTimeout time.Duration
}

// TortoiseParams are the numbers of spec 06.
type TortoiseParams struct {
	Hdist, Zdist uint32
	WindowSize   uint32
	// HistoricalWindows override WindowSize for layers of the past.
	HistoricalWindows []WindowInterval
	// MinimalActiveSetWeight is ascending by epoch; the last entry at or
	// below an epoch counts.
	MinimalActiveSetWeight []EpochWeight
	MaxExceptions          uint32
	// BadBeaconDelayLayers is how long ballots with another beacon wait.
	BadBeaconDelayLayers uint32
}

// WindowInterval is a tortoise window for layers Start … End, both included.
type WindowInterval struct {
	Start, End wire.LayerID
	Window     uint32
}

// EpochWeight is a weight from an epoch on.
type EpochWeight struct {
	Epoch  wire.EpochID
	Weight uint64
}

// HareParams are the numbers of one hare version (spec 05).
type HareParams struct {
	Enable                    bool
	EnableLayer, DisableLayer wire.LayerID
	Committee                 uint16
	Upgrade                   *CommitteeUpgrade
	Leaders                   uint16
	IterationsLimit           uint8
	PreroundDelay             time.Duration
	RoundDuration             time.Duration
	ProtocolName              string
}

// CommitteeUpgrade changes the committee's size from a layer on.
type CommitteeUpgrade struct {
	Layer wire.LayerID
	Size  uint16
}

// CommitteeFor is the committee size in a layer (spec 05).
func (h *HareParams) CommitteeFor(layer wire.LayerID) uint16 {
	if h.Upgrade != nil && layer >= h.Upgrade.Layer {
		return h.Upgrade.Size
	}
	return h.Committee
}

// CertificateParams are the numbers of block certification (spec 06).
type CertificateParams struct {
	// CommitteeSize is 0 where hare's committee certifies.
	CommitteeSize uint16
}

// BeaconParams are the numbers of spec 05.
type BeaconParams struct {
	Kappa                    uint64
	Q, Theta                 Fraction
	RoundsNumber             uint32
	VotesLimit               uint32
	SyncWeightUnits          uint32
	GracePeriod              time.Duration
	ProposalDuration         time.Duration
	FirstVotingRoundDuration time.Duration
	VotingRoundDuration      time.Duration
	WeakCoinRoundDuration    time.Duration
}

// Fraction is an exact ratio.
type Fraction struct{ Num, Denom uint64 }

// ActiveSetParams say when a node builds the active set of the next epoch.
type ActiveSetParams struct {
	Window, RetryInterval time.Duration
	Tries                 int
}

// ATXVersionAt is the version of ATXs published in an epoch (spec 01 §5.6).
func (p *Params) ATXVersionAt(epoch wire.EpochID) uint8 {
	version := uint8(1)
	for _, v := range p.ATXVersions {
		if v.Epoch <= epoch {
			version = v.Version
		}
	}
	return version
}

// FirstEffectiveGenesis is the last layer of epoch 1 (spec 01 §23).
func (p *Params) FirstEffectiveGenesis() wire.LayerID {
	return wire.LayerID(2*p.LayersPerEpoch - 1)
}

// Epoch is the epoch of a layer.
func (p *Params) Epoch(layer wire.LayerID) wire.EpochID { return layer.Epoch(p.LayersPerEpoch) }

// FirstLayer is the first layer of an epoch.
func (p *Params) FirstLayer(epoch wire.EpochID) wire.LayerID {
	return epoch.FirstLayer(p.LayersPerEpoch)
}

// MinimalActiveSetWeight is the weight that counts as an epoch's minimum (spec 06).
func (p *Params) MinimalActiveSetWeight(epoch wire.EpochID) uint64 {
	var weight uint64
	for _, w := range p.Tortoise.MinimalActiveSetWeight {
		if w.Epoch <= epoch {
			weight = w.Weight
		}
	}
	return weight
}
