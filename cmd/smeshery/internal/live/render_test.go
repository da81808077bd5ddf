package live

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

var genesis = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) *State {
	return &State{
		Now:            genesis.Add(time.Duration(seconds * float64(time.Second))),
		Clock:          layerclock.Clock{Genesis: genesis, LayerDuration: 6 * time.Second},
		LayersPerEpoch: 10, Coinbase: "standalone1me",
	}
}

func identity(i byte, step activation.Step) Identity {
	return Identity{IdentityStep: activation.IdentityStep{Node: wire.NodeID{i}, Name: string('a'+rune(i)) + ".key", Step: step}}
}

func TestTheViewBeforeGenesis(t *testing.T) {
	text := strings.Join(Render(at(-7), 80, 24), "\n")
	require.Contains(t, text, "genesis in 7s")
	require.Contains(t, text, "identities starting")
	require.Contains(t, text, "last layer none yet")
}

func TestTheViewOfAFewIdentities(t *testing.T) {
	s := at(139)
	s.Balance = 1_500_000_000
	making := identity(0, activation.StepInit)
	making.Labels, making.Total, making.Rate = 32, 128, 16
	waiting := identity(1, activation.StepWaitPoet)
	waiting.Since, waiting.Until = s.Now.Add(-30*time.Second), s.Now.Add(30*time.Second)
	stuck := identity(2, activation.StepRegister)
	stuck.Note = "no PoET answers"
	s.Identities = []Identity{making, waiting, stuck}
	s.Layers = []Layer{{ID: 22, Ballots: 3, Decided: true, Output: wire.BlockID{0xab}, Certified: true, Applied: true, Block: wire.BlockID{0xab}, StateRoot: wire.Hash32{0xcd}}}
	text := strings.Join(Render(s, 100, 30), "\n")
	for _, want := range []string{
		"epoch 2    [██████··············] next in 41s",
		"layer 23   [███·················] next in 5s",
		"a 00000000  [█████···············] initialising, 6s left",
		"b 01000000  [██████████··········] waiting for the PoET's proof, 30s left",
		"c 02000000  registering at the PoET (no PoET answers)",
		"last layer 22: 3 proposals", "hare       output ab00000000", "cert.      certified", "block      applied ab00000000",
		"state root cd000000", "coinbase   standalone1me", "balance    1.5 SMH",
	} {
		require.Contains(t, text, want)
	}
}

func TestManyIdentitiesAreSummedUp(t *testing.T) {
	s := at(10)
	for i := range byte(100) {
		id := identity(i, activation.StepPublished)
		id.Publish = 3
		if i < 40 {
			id = identity(i, activation.StepInit)
			id.Labels, id.Total = uint64(i), 40
		}
		s.Identities = append(s.Identities, id)
	}
	text := strings.Join(Render(s, 100, 24), "\n")
	require.Contains(t, text, "100 identities")
	require.Contains(t, text, "40 [██████████··········] initialising")
	require.Contains(t, text, "60 ATX of epoch 3 published")
	require.NotContains(t, text, "01000000")
}

func TestTheViewAlwaysFits(t *testing.T) {
	steps := stepsInOrder()
	rapid.Check(t, func(t *rapid.T) {
		s := at(rapid.Float64Range(-100, 1e6).Draw(t, "now"))
		for i := range rapid.IntRange(0, 60).Draw(t, "identities") {
			id := identity(byte(i), rapid.SampledFrom(steps).Draw(t, "step"))
			id.Note = rapid.StringN(0, 50, 50).Draw(t, "note")
			s.Identities = append(s.Identities, id)
		}
		width, height := rapid.IntRange(1, 200).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "height")
		lines := Render(s, width, height)
		require.LessOrEqual(t, len(lines), height)
		for _, l := range lines {
			require.LessOrEqual(t, utf8.RuneCountInString(l), width)
		}
	})
}

func TestLinesTellWhatIsNew(t *testing.T) {
	before := at(119)
	before.Identities = []Identity{identity(0, activation.StepProve)}
	now := at(121)
	now.Identities = []Identity{identity(0, activation.StepPublished)}
	now.Identities[0].Publish = 1
	now.Layers = []Layer{{ID: 20, Decided: true, Ballots: 2}}
	require.Equal(t, []string{"epoch 2", "identity a 00000000: ATX of epoch 1 published"}, Lines(before, now))

	later := at(127)
	later.Identities = now.Identities
	later.Layers = []Layer{{ID: 20, Decided: true, Ballots: 2, Applied: true}, {ID: 21}}
	later.Balance = 5
	require.Equal(t, []string{"layer 20: 2 proposals, hare empty output, applied empty, state 0000000000, coinbase 0.000000005 SMH"}, Lines(now, later))
	require.Empty(t, Lines(later, later))

	away := at(128)
	away.Problem = "gone"
	away.Identities, away.Layers = later.Identities, later.Layers
	require.Equal(t, []string{"gone"}, Lines(later, away))
}

func TestManyMovesAreSummedUp(t *testing.T) {
	now := at(1)
	for i := range byte(20) {
		now.Identities = append(now.Identities, identity(i, activation.StepRegister))
	}
	require.Equal(t, []string{"epoch 0", "identities: 20 registering at the PoET"}, Lines(at(-1), now))
}

func TestCoins(t *testing.T) {
	for amount, want := range map[uint64]string{0: "0 SMH", 1: "0.000000001 SMH", 2_000_000_000: "2 SMH", 1_230_000_000: "1.23 SMH"} {
		require.Equal(t, want, Coins(amount))
	}
}
