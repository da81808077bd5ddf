package catchup

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/wire"
)

func downloadParams() DownloadParams {
	return DownloadParams{InfoInterval: 4 * time.Hour, RetryInterval: time.Second, RequestsLimit: 3, Batch: 4}
}

// disk applies changes as a database would.
type disk struct {
	row   *DownloadRow
	tries map[wire.ATXID]int
}

func (d *disk) apply(c DownloadChange) {
	d.row = &c.Row
	maps.Copy(d.tries, c.Tries)
	for _, id := range c.Delete {
		delete(d.tries, id)
	}
}

// However peers fail and however often the node restarts, a download gets all
// that can be had and ends.
func TestDownloadGetsWhatCanBeHad(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		until := time.Unix(1_700_000_000, 0)
		now := until.Add(-time.Hour)
		kept := &disk{tries: map[wire.ATXID]int{}}
		store := map[wire.ATXID]bool{}
		stored := func(id wire.ATXID) bool { return store[id] }
		n := rapid.IntRange(0, 30).Draw(rt, "atxs")
		var all []wire.ATXID
		lost := map[wire.ATXID]bool{}
		for i := range n {
			id := wire.ATXID{byte(i)}
			all = append(all, id)
			lost[id] = rapid.IntRange(0, 9).Draw(rt, "lost") == 0
		}
		d := NewDownload(downloadParams(), until, kept.row, kept.tries)
		for step := 0; !d.Done(); step++ {
			if step > 2000 {
				rt.Fatal("no end")
			}
			batch := d.Next(stored)
			require.LessOrEqual(rt, len(batch), 4)
			if len(batch) == 0 && !d.Done() {
				now = now.Add(40 * time.Minute)
				d.Listed(now, all)
			}
			for _, id := range batch {
				require.False(rt, store[id], "nothing is fetched twice")
				switch {
				case lost[id]:
					d.Failed(id, rapid.Bool().Draw(rt, "rejected"))
				default:
					store[id] = true
				}
			}
			kept.apply(d.Persist())
			if rapid.IntRange(0, 5).Draw(rt, "restart") == 0 {
				d = NewDownload(downloadParams(), until, kept.row, maps.Clone(kept.tries))
			}
		}
		require.True(rt, kept.row.LastSuccess.After(until), "the last list is complete")
		for _, id := range all {
			require.Equal(rt, !lost[id], store[id])
		}
	})
}

func TestDownloadAsksAtOnceWithoutAList(t *testing.T) {
	until := time.Unix(1_700_000_000, 0)
	p := downloadParams()
	require.Equal(t, time.Second, NewDownload(p, until, nil, nil).Wait())
	tries := map[wire.ATXID]int{{1}: 1, {2}: 0}
	old := NewDownload(p, until, &DownloadRow{until, 2, 1}, tries)
	require.Equal(t, time.Second, old.Wait(), "a list of that very moment is too old")
	fresh := NewDownload(p, until, &DownloadRow{until.Add(1), 2, 1}, tries)
	require.Equal(t, 4*time.Hour, fresh.Wait())
	require.False(t, fresh.Done())
	require.True(t, NewDownload(p, until, &DownloadRow{until.Add(1), 2, 2}, tries).Done())
}

func TestRejectedATXIsGivenUp(t *testing.T) {
	until := time.Unix(1_700_000_000, 0)
	d := NewDownload(downloadParams(), until, nil, nil)
	d.Listed(until.Add(1), []wire.ATXID{{1}, {2}})
	require.Len(t, d.Next(func(wire.ATXID) bool { return false }), 2)
	d.Failed(wire.ATXID{1}, true)
	d.Failed(wire.ATXID{2}, false)
	d.Failed(wire.ATXID{9}, true)
	change := d.Persist()
	require.Equal(t, map[wire.ATXID]int{{2}: 1}, change.Tries)
	require.Equal(t, []wire.ATXID{{1}}, change.Delete)
	require.Equal(t, []wire.ATXID{{2}}, d.Next(func(wire.ATXID) bool { return false }))
	d.Listed(until.Add(2), []wire.ATXID{{1}, {2}})
	require.Len(t, d.Next(func(wire.ATXID) bool { return false }), 2)
}
