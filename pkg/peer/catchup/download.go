package catchup

import (
	"bytes"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// DownloadParams are the numbers of spec 08 §15.3, atx-sync.
type DownloadParams struct {
	InfoInterval  time.Duration // between questions for the epoch's list
	RetryInterval time.Duration // while there is no list to go by
	RequestsLimit int           // tries before an ATX is given up
	Batch         int
}

// DownloadRow sums up a download.
type DownloadRow struct {
	LastSuccess       time.Time
	Total, Downloaded int
}

// DownloadChange is what has to be persisted in one transaction.
type DownloadChange struct {
	Row DownloadRow
	// Tries are the ids whose tries changed; at the limit an id is deleted.
	Tries  map[wire.ATXID]int
	Delete []wire.ATXID
}

type progress struct {
	tries      int
	downloaded bool
}

// Download fetches all ATXs that were published in one epoch (spec 08 §8.4): it
// says what to ask for and is told what came of it.
type Download struct {
	params    DownloadParams
	until     time.Time // older lists may lack ATXs
	immediate bool      // there is no list to go by
	done      bool

	row     DownloadRow
	ids     map[wire.ATXID]progress
	changed map[wire.ATXID]struct{}
}

// NewDownload continues from what was persisted: a row, if there is one, and tries
// by id. until is when the epoch's ATXs stop counting.
func NewDownload(params DownloadParams, until time.Time, row *DownloadRow, tries map[wire.ATXID]int) *Download {
	d := &Download{
		params: params, until: until, ids: make(map[wire.ATXID]progress, len(tries)), changed: map[wire.ATXID]struct{}{},
	}
	for id, n := range tries {
		d.ids[id] = progress{tries: n}
	}
	if row != nil {
		d.row = *row
	}
	d.immediate = len(tries) == 0 || row == nil || !row.LastSuccess.After(until)
	d.done = !d.immediate && row.Total == row.Downloaded
	return d
}

// Done tells whether all that can be had is there.
func (d *Download) Done() bool { return d.done }

// Wait is how long to wait before asking for the list; to be spread by a tenth
// either way, so that nodes do not ask together.
func (d *Download) Wait() time.Duration {
	if d.immediate {
		return d.params.RetryInterval
	}
	return d.params.InfoInterval
}

// Listed takes a peer's list. Known ids get all their tries back.
func (d *Download) Listed(now time.Time, ids []wire.ATXID) {
	d.immediate, d.row.LastSuccess = false, now
	for _, id := range ids {
		p, known := d.ids[id]
		if known && p.tries == 0 {
			continue
		}
		p.tries = 0
		d.ids[id] = p
		d.changed[id] = struct{}{}
	}
}

// Next is a batch to fetch, in order of the ids. It is empty when the download is
// done or a new list has to come first.
func (d *Download) Next(stored func(wire.ATXID) bool) []wire.ATXID {
	var open []wire.ATXID
	for id, p := range d.ids {
		switch {
		case p.downloaded:
		case stored(id):
			p.downloaded = true
			d.ids[id] = p
		case p.tries < d.params.RequestsLimit:
			open = append(open, id)
		}
	}
	if len(open) == 0 {
		d.done = d.row.LastSuccess.After(d.until)
		return nil
	}
	slices.SortFunc(open, func(a, b wire.ATXID) int { return bytes.Compare(a[:], b[:]) })
	return open[:min(len(open), d.params.Batch)]
}

// Failed counts a failed try; what a validator rejected is given up.
func (d *Download) Failed(id wire.ATXID, rejected bool) {
	p, known := d.ids[id]
	if !known {
		return
	}
	p.tries++
	if rejected {
		p.tries = d.params.RequestsLimit
	}
	d.ids[id] = p
	d.changed[id] = struct{}{}
}

// Persist is what has changed since it was asked before. Ids that were given up
// are forgotten with it, until a peer lists them again.
func (d *Download) Persist() DownloadChange {
	d.row.Total, d.row.Downloaded = len(d.ids), 0
	for _, p := range d.ids {
		if p.downloaded {
			d.row.Downloaded++
		}
	}
	change := DownloadChange{Row: d.row, Tries: map[wire.ATXID]int{}}
	for id := range d.changed {
		if p := d.ids[id]; p.tries < d.params.RequestsLimit {
			change.Tries[id] = p.tries
			continue
		}
		change.Delete = append(change.Delete, id)
		delete(d.ids, id)
	}
	slices.SortFunc(change.Delete, func(a, b wire.ATXID) int { return bytes.Compare(a[:], b[:]) })
	clear(d.changed)
	return change
}
