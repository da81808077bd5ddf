package replay

import (
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/wire"
)

func without(rows []int, err error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(0, err)
		}
	}
}

// However rows are taken, none is lost, repeated or moved.
func TestTakingInBatchesGivesEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.IntRange(0, 50)).Draw(t, "rows")
		slices.Sort(rows)
		c := newCursor(without(rows, nil))
		defer c.stop()
		var got []int
		for bound := 0; bound <= 50; bound += rapid.IntRange(1, 10).Draw(t, "step") {
			for {
				batch, err := c.take(rapid.IntRange(1, 5).Draw(t, "limit"), func(v *int) bool { return *v <= bound })
				require.NoError(t, err)
				if len(batch) == 0 {
					break
				}
				require.LessOrEqual(t, batch[len(batch)-1], bound)
				got = append(got, batch...)
			}
		}
		rest, err := c.all(func(*int) bool { return true })
		require.NoError(t, err)
		require.True(t, slices.Equal(rows, append(got, rest...)))
	})
}

func TestACursorEndsWithItsError(t *testing.T) {
	broken := errors.New("broken")
	c := newCursor(without([]int{1, 2}, broken))
	defer c.stop()
	_, err := c.all(func(*int) bool { return true })
	require.ErrorIs(t, err, broken)
	row, err := c.peek()
	require.NoError(t, err)
	require.Nil(t, row)
}

func TestTheClockNeverGoesBack(t *testing.T) {
	var c Clock
	c.Set(time.Unix(10, 0))
	c.Set(time.Unix(5, 0))
	require.Equal(t, time.Unix(10, 0).UTC(), c.Now())
}

func TestArrivalsAreForgotten(t *testing.T) {
	var a Arrivals
	_, ok := a.Received(wire.ATXID{1})
	require.False(t, ok)
	a.expect(wire.ATXID{1}, time.Unix(7, 0))
	at, ok := a.Received(wire.ATXID{1})
	require.True(t, ok)
	require.Equal(t, time.Unix(7, 0), at)
	a.forget(wire.ATXID{1})
	_, ok = a.Received(wire.ATXID{1})
	require.False(t, ok)
}
