package rewards_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/rewards"
)

func TestSubsidyVectors(t *testing.T) {
	type subsidyCase struct {
		Layers      uint32         `json:"layers_after_effective_genesis"`
		Subsidy     vectors.Uint64 `json:"subsidy"`
		Accumulated vectors.Uint64 `json:"accumulated"`
	}
	schedule := rewards.NewSchedule()
	vectors.Run(t, "vm/subsidy", func(t *testing.T, c subsidyCase) {
		require.Equal(t, uint64(c.Accumulated), schedule.Accumulated(c.Layers))
		require.Equal(t, uint64(c.Subsidy), schedule.Subsidy(c.Layers))
	})
}

func TestScheduleNeverExceedsPool(t *testing.T) {
	schedule := rewards.NewSchedule()
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.Uint32Range(0, 1<<32-2).Draw(t, "layer")
		now, next := schedule.Accumulated(i), schedule.Accumulated(i+1)
		require.LessOrEqual(t, now, next)
		require.LessOrEqual(t, next, uint64(rewards.Pool))
		require.Equal(t, next-now, schedule.Subsidy(i+1))
	})
	require.Equal(t, uint64(rewards.Pool-1), schedule.Accumulated(1_000_000_000), "the last coin is never whole")
}

// ratShares is the textbook way: one rational per share.
func ratShares(subsidy, fees uint64, shares []rewards.Share) []rewards.Amount {
	weight := func(s rewards.Share) *big.Rat {
		return new(big.Rat).SetFrac(new(big.Int).SetUint64(s.Num), new(big.Int).SetUint64(s.Denom))
	}
	sum := new(big.Rat)
	for _, s := range shares {
		sum.Add(sum, weight(s))
	}
	portion := func(amount uint64, s rewards.Share) uint64 {
		f := new(big.Rat).Quo(weight(s), sum)
		n := new(big.Int).Mul(new(big.Int).SetUint64(amount), f.Num())
		return n.Quo(n, f.Denom()).Uint64()
	}
	var out []rewards.Amount
	for _, s := range shares {
		out = append(out, rewards.Amount{Total: portion(subsidy+fees, s), Layer: portion(subsidy, s)})
	}
	return out
}

func TestDistributeEqualsRationals(t *testing.T) {
	number := rapid.OneOf(rapid.Uint64Range(1, 9), rapid.Uint64Range(1, 1<<64-1))
	rapid.Check(t, func(t *rapid.T) {
		denom := rapid.OneOf(rapid.Just(number.Draw(t, "denom")), number)
		var shares []rewards.Share
		for range rapid.IntRange(1, 20).Draw(t, "shares") {
			shares = append(shares, rewards.Share{Num: number.Draw(t, "n"), Denom: denom.Draw(t, "d")})
		}
		subsidy := rapid.Uint64Range(0, rewards.Pool).Draw(t, "subsidy")
		fees := rapid.Uint64().Draw(t, "fees")
		got, err := rewards.Distribute(subsidy, fees, shares)
		require.NoError(t, err)
		require.Equal(t, ratShares(subsidy, fees, shares), got)
		left := subsidy + fees
		for _, a := range got {
			require.LessOrEqual(t, a.Total, left)
			left -= a.Total
		}
	})
}

func TestDistributeRefusesEmptyWeights(t *testing.T) {
	_, err := rewards.Distribute(1, 1, []rewards.Share{{Num: 0, Denom: 1}, {Num: 0, Denom: 2}})
	require.ErrorIs(t, err, rewards.ErrWeight)
	_, err = rewards.Distribute(1, 1, []rewards.Share{{Num: 1, Denom: 1}, {Num: 1, Denom: 0}})
	require.ErrorIs(t, err, rewards.ErrWeight)
	got, err := rewards.Distribute(1, 1, nil)
	require.NoError(t, err)
	require.Empty(t, got)
	got, err = rewards.Distribute(9, 1, []rewards.Share{{Num: 0, Denom: 1}, {Num: 1, Denom: 2}})
	require.NoError(t, err)
	require.Equal(t, []rewards.Amount{{}, {Total: 10, Layer: 9}}, got)
}

func BenchmarkSubsidy(b *testing.B) {
	schedule := rewards.NewSchedule()
	b.ReportAllocs()
	for b.Loop() {
		schedule.Subsidy(123456)
	}
}

// The largest block whose denominators are all alike, and the same where none
// shares a factor with another: the most expensive a peer can make it.
func BenchmarkDistribute(b *testing.B) {
	for name, denom := range map[string]func(i uint64) uint64{
		"alike":   func(uint64) uint64 { return 1 << 20 },
		"hostile": func(i uint64) uint64 { return 1<<64 - 1 - 2*i },
	} {
		b.Run(name, func(b *testing.B) {
			shares := make([]rewards.Share, 2350)
			for i := range shares {
				shares[i] = rewards.Share{Num: uint64(i) + 1, Denom: denom(uint64(i))}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := rewards.Distribute(477618397593, 1<<30, shares); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
