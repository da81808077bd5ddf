package network

import (
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const day = 24 * time.Hour

// TestPresetConstants declares the table of spec 01 §24 a second time, a line a
// row, so that a change of a constant needs two hands.
func TestPresetConstants(t *testing.T) {
	nets := []Params{Mainnet(), Testnet(), Fastnet(), Standalone()}
	const (
		easiest = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		hard    = "000dfb23b0979b4b000000000000000000000000000000000000000000000000"
	)
	type hare struct {
		leaders, iterations, committee uint32
		preround, round                time.Duration
	}
	type poet struct{ shift, gap, grace time.Duration }
	rows := []struct {
		name string
		of   func(p *Params) any
		want [4]any
	}{
		{"address prefix", func(p *Params) any { return p.HRP }, [4]any{"sm", "stest", "stest", "standalone"}},
		{"layer duration", func(p *Params) any { return p.LayerDuration }, [4]any{5 * time.Minute, 5 * time.Minute, 15 * time.Second, 6 * time.Second}},
		{"layers per epoch", func(p *Params) any { return p.LayersPerEpoch }, [4]any{uint32(4032), uint32(288), uint32(4), uint32(10)}},
		{"epoch", func(p *Params) any { return time.Duration(p.LayersPerEpoch) * p.LayerDuration }, [4]any{14 * day, day, time.Minute, time.Minute}},
		{"effective genesis", func(p *Params) any { return uint32(p.FirstEffectiveGenesis()) }, [4]any{uint32(8063), uint32(575), uint32(7), uint32(19)}},
		{"layer size", func(p *Params) any { return p.LayerAverageSize }, [4]any{uint32(50), uint32(50), uint32(50), uint32(50)}},
		{"tick size", func(p *Params) any { return p.TickSize }, [4]any{uint64(9331200), uint64(666514), uint64(100), uint64(100)}},
		{"version switches", func(p *Params) any { return len(p.ATXVersions) }, [4]any{0, 0, 0, 0}},
		{"txs per proposal", func(p *Params) any { return p.TxsPerProposal }, [4]any{700, 700, 100, 100}},
		{"gas limit", func(p *Params) any { return p.BlockGasLimit }, [4]any{uint64(100107000), uint64(100107000), uint64(math.MaxUint64), uint64(math.MaxUint64)}},
		{"optimistic threshold", func(p *Params) any { return p.OptimisticFilteringThreshold }, [4]any{90, 90, 90, 90}},
		{"grade delay", func(p *Params) any { return p.ATXGradeDelay }, [4]any{30 * time.Minute, 30 * time.Minute, time.Second, 10 * time.Second}},
		{"valid delay", func(p *Params) any { return p.Post.ValidDelay }, [4]any{time.Duration(math.MaxInt64), time.Duration(0), 12 * time.Hour, 12 * time.Hour}},
		{"units", func(p *Params) any { return [2]uint32{p.Post.MinNumUnits, p.Post.MaxNumUnits} },
			[4]any{[2]uint32{4, math.MaxUint32}, [2]uint32{2, math.MaxUint32}, [2]uint32{2, 4}, [2]uint32{1, 2}}},
		{"labels per unit", func(p *Params) any { return p.Post.LabelsPerUnit }, [4]any{uint64(1) << 32, uint64(1024), uint64(128), uint64(64)}},
		{"k1 k2 k3", func(p *Params) any { return [3]uint32{p.Post.K1, p.Post.K2, p.Post.K3} },
			[4]any{[3]uint32{26, 37, 1}, [3]uint32{26, 37, 1}, [3]uint32{12, 4, 1}, [3]uint32{12, 4, 1}}},
		{"pow difficulty", func(p *Params) any { return hex.EncodeToString(p.Post.PowDifficulty[:]) }, [4]any{hard, easiest, easiest, easiest}},
		{"scrypt n", func(p *Params) any { return p.Post.ScryptN }, [4]any{uint32(8192), uint32(8192), uint32(2), uint32(8192)}},
		{"poet", func(p *Params) any { return poet{p.Poet.PhaseShift, p.Poet.CycleGap, p.Poet.GracePeriod} }, [4]any{
			poet{240 * time.Hour, 12 * time.Hour, time.Hour},
			poet{12 * time.Hour, 2 * time.Hour, 10 * time.Minute},
			poet{30 * time.Second, 30 * time.Second, 10 * time.Second},
			poet{30 * time.Second, 30 * time.Second, 12 * time.Second},
		}},
		{"hdist zdist window", func(p *Params) any { return [3]uint32{p.Tortoise.Hdist, p.Tortoise.Zdist, p.Tortoise.WindowSize} },
			[4]any{[3]uint32{10, 2, 4032}, [3]uint32{10, 2, 10000}, [3]uint32{4, 2, 1000}, [3]uint32{2, 2, 1000}}},
		{"old windows", func(p *Params) any { return p.Tortoise.HistoricalWindows },
			[4]any{[]WindowInterval{{0, 30000, 10000}}, []WindowInterval(nil), []WindowInterval(nil), []WindowInterval(nil)}},
		{"minimal weight", func(p *Params) any { return p.MinimalActiveSetWeight(7) }, [4]any{uint64(1000000), uint64(10000), uint64(0), uint64(0)}},
		{"hare3 from", func(p *Params) any { return uint32(p.Hare3.EnableLayer) }, [4]any{uint32(35117), uint32(7366), uint32(0), uint32(0)}},
		{"hare3", func(p *Params) any {
			h := p.Hare3
			return hare{uint32(h.Leaders), uint32(h.IterationsLimit), uint32(h.CommitteeFor(105719)), h.PreroundDelay, h.RoundDuration}
		}, [4]any{
			hare{5, 4, 400, 25 * time.Second, 12 * time.Second},
			hare{5, 4, 800, 25 * time.Second, 12 * time.Second},
			hare{10, 2, 800, 3 * time.Second, 700 * time.Millisecond},
			hare{5, 4, 800, time.Second, 100 * time.Millisecond},
		}},
		{"hare3 upgraded committee", func(p *Params) any { return p.Hare3.CommitteeFor(105720) }, [4]any{uint16(50), uint16(800), uint16(800), uint16(800)}},
		{"hare3 topic", func(p *Params) any { return p.Hare3.ProtocolName }, [4]any{"/h/3.0", "", "/h/3.0", "/h/3.0"}},
		{"hares on", func(p *Params) any { return [2]bool{p.Hare3.Enable, p.Hare4.Enable} },
			[4]any{[2]bool{true, false}, [2]bool{true, false}, [2]bool{true, false}, [2]bool{true, false}}},
		{"confidence", func(p *Params) any { return p.EligibilityConfidence }, [4]any{uint32(200), uint32(20), uint32(2), uint32(2)}},
		{"beacon rounds", func(p *Params) any { return p.Beacon.RoundsNumber }, [4]any{uint32(0), uint32(20), uint32(4), uint32(4)}},
		{"kappa", func(p *Params) any { return p.Beacon.Kappa }, [4]any{uint64(40), uint64(40), uint64(40), uint64(40)}},
		{"q theta", func(p *Params) any { return [2]Fraction{p.Beacon.Q, p.Beacon.Theta} }, [4]any{
			[2]Fraction{{1, 3}, {1, 4}}, [2]Fraction{{1, 3}, {1, 4}}, [2]Fraction{{1, 3}, {1, 4}}, [2]Fraction{{1, 3}, {1, 4}},
		}},
		{"genesis accounts", func(p *Params) any { return len(p.Genesis.Accounts) }, [4]any{28, 0, 0, 0}},
	}
	for _, row := range rows {
		for i := range nets {
			require.Equal(t, row.want[i], row.of(&nets[i]), "%s of %s", row.name, nets[i].Name)
		}
	}
}

func TestPresetByName(t *testing.T) {
	for _, name := range []string{MainnetName, TestnetName, FastnetName, StandaloneName} {
		p, err := Preset(name)
		require.NoError(t, err)
		require.Equal(t, name, p.Name)
	}
	_, err := Preset("devnet")
	require.ErrorContains(t, err, "devnet")
}

func TestPresetsShareNothing(t *testing.T) {
	changed := Mainnet()
	changed.Genesis.Accounts[0].Balance++
	changed.Tortoise.MinimalActiveSetWeight[0].Weight++
	changed.Hare3.Upgrade.Size++
	require.NotEqual(t, changed, Mainnet())
}

func TestATXVersionAt(t *testing.T) {
	p := Params{ATXVersions: []ATXVersion{{Epoch: 3, Version: 2}, {Epoch: 9, Version: 3}}}
	for epoch, version := range map[uint32]uint8{0: 1, 2: 1, 3: 2, 8: 2, 9: 3, math.MaxUint32: 3} {
		require.Equal(t, version, p.ATXVersionAt(epochID(epoch)), "epoch %d", epoch)
	}
}

func TestMinimalActiveSetWeightAt(t *testing.T) {
	p := Params{Tortoise: TortoiseParams{MinimalActiveSetWeight: []EpochWeight{{2, 10}, {5, 7}}}}
	for epoch, weight := range map[uint32]uint64{0: 0, 1: 0, 2: 10, 4: 10, 5: 7, 100: 7} {
		require.Equal(t, weight, p.MinimalActiveSetWeight(epochID(epoch)), "epoch %d", epoch)
	}
}
