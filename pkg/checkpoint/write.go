package checkpoint

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Reasons why there is nothing to write (spec 07 §11.3).
var (
	ErrNoATXs       = errors.New("no atxs")
	ErrNoAccounts   = errors.New("no accounts at the snapshot layer")
	ErrNoCommitment = errors.New("identity without a commitment atx")
	ErrNoMarriage   = errors.New("marriage atx is not stored")
)

// Source is the rows of one consistent read of a database.
type Source struct {
	// ATXs are all stored ones, ordered by smesher and then by publish epoch
	// descending. A row's Commitment is zero if it has none of its own.
	ATXs iter.Seq2[ATX, error]
	// Malicious tells whether there is a malfeasance proof.
	Malicious func(wire.NodeID) bool
	// Versions are account versions up to the snapshot layer or later, ordered
	// by address and then by layer ascending.
	Versions iter.Seq2[wire.Account, error]
	// Marriages are all rows, in any order.
	Marriages []Marriage
}

// Name is the name of the file of a layer.
func Name(layer wire.LayerID) string { return "snapshot-" + layer.String() }

// Write streams the checkpoint of a layer with the newest atxs ATXs of each
// identity. After an error what was written is to be thrown away.
func Write(w io.Writer, layer wire.LayerID, atxs int, source Source) error {
	out := &writer{out: bufio.NewWriterSize(w, 1<<16), marriageATXs: map[wire.ATXID]*ATX{}, written: map[wire.ATXID]bool{}}
	for i := range source.Marriages {
		out.marriageATXs[source.Marriages[i].ATX] = nil
	}
	out.text(`{"command":`)
	out.value(command(layer, atxs))
	out.text(`,"version":`)
	out.value(Version)
	out.text(`,"data":{"id":`)
	out.value(Name(layer))
	out.text(`,"atxs":[`)
	if err := out.atxs(atxs, &source); err != nil {
		return fmt.Errorf("checkpoint of layer %v: %w", layer, err)
	}
	out.text(`],"accounts":[`)
	if err := out.accounts(layer, source.Versions); err != nil {
		return fmt.Errorf("checkpoint of layer %v: %w", layer, err)
	}
	out.text(`],"marriages":`)
	out.value(groupMarriages(source.Marriages))
	out.text("}}\n")
	return errors.Join(out.err, out.out.Flush())
}

// command is the call that a reader may want to know of; zeros are left out.
func command(layer wire.LayerID, atxs int) string {
	request, err := json.Marshal(struct {
		Layer uint32 `json:"snapshot_layer,omitempty"`
		ATXs  int    `json:"num_atxs,omitempty"`
	}{uint32(layer), atxs})
	if err != nil {
		panic(err) // two integers always marshal
	}
	return "grpcurl -plaintext -d '" + string(request) + "' 0.0.0.0:9093 spacemesh.v1.AdminService.CheckpointStream"
}

// writer writes elements and keeps the first error.
type writer struct {
	out *bufio.Writer
	err error
	n   int // elements of the current array
	// marriageATXs are the ones that marriages refer to, once seen.
	marriageATXs map[wire.ATXID]*ATX
	written      map[wire.ATXID]bool
}

func (w *writer) text(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

func (w *writer) value(v any) {
	raw, err := json.Marshal(v)
	if w.err == nil {
		w.err = err
	}
	w.text(string(raw))
}

func (w *writer) element(v any) {
	if w.n > 0 {
		w.text(",")
	}
	w.n++
	w.value(v)
}

// atxs walks the identities one by one.
func (w *writer) atxs(n int, source *Source) error {
	w.n = 0
	var identity []ATX
	found := false
	for atx, err := range source.ATXs {
		if err != nil {
			return err
		}
		found = true
		if len(identity) > 0 && identity[0].Smesher != atx.Smesher {
			if err := w.identity(identity, n, source); err != nil {
				return err
			}
			identity = identity[:0]
		}
		identity = append(identity, atx)
	}
	if !found {
		return ErrNoATXs
	}
	if err := w.identity(identity, n, source); err != nil {
		return err
	}
	return w.marriages()
}

// identity writes the newest ATXs of one identity, which come newest first, and
// remembers those that marriages refer to.
func (w *writer) identity(atxs []ATX, n int, source *Source) error {
	newest := slices.IndexFunc(atxs, func(a ATX) bool { return !wire.IsZero(a.Commitment) })
	if newest < 0 {
		return fmt.Errorf("%w: %v", ErrNoCommitment, atxs[0].Smesher)
	}
	commitment := atxs[newest].Commitment
	for i := range atxs {
		if _, wanted := w.marriageATXs[atxs[i].ID]; wanted {
			atx := atxs[i]
			if wire.IsZero(atx.Commitment) {
				atx.Commitment = commitment
			}
			atx.Marriage = wire.ATXID{}
			w.marriageATXs[atx.ID] = &atx
		}
	}
	if source.Malicious(atxs[0].Smesher) {
		return nil
	}
	for i := range atxs[:min(n, len(atxs))] {
		atxs[i].Commitment = commitment
		w.written[atxs[i].ID] = true
		w.element(atxs[i].written())
	}
	return w.err
}

// marriages appends the marriage ATXs that are not among the newest.
func (w *writer) marriages() error {
	for _, id := range slices.SortedFunc(maps.Keys(w.marriageATXs), wire.Compare[wire.ATXID]) {
		atx := w.marriageATXs[id]
		if atx == nil {
			return fmt.Errorf("%w: %v", ErrNoMarriage, id)
		}
		if !w.written[id] {
			w.element(atx.written())
		}
	}
	return w.err
}

func (w *writer) accounts(layer wire.LayerID, versions iter.Seq2[wire.Account, error]) error {
	w.n = 0
	var last wire.Account
	have := false
	flush := func() {
		if have {
			w.element(writtenAccount(&last))
		}
	}
	for version, err := range versions {
		switch {
		case err != nil:
			return err
		case version.Layer > layer:
			continue
		case have && version.Address != last.Address:
			flush()
		}
		last, have = version, true
	}
	flush()
	if w.n == 0 {
		return ErrNoAccounts
	}
	return w.err
}

func groupMarriages(rows []Marriage) map[string][]marriageJSON {
	out := map[string][]marriageJSON{}
	for i := range rows {
		m := &rows[i]
		id := strconv.FormatInt(m.ID, 10)
		out[id] = append(out[id], marriageJSON{
			ATX: m.ATX[:], Index: m.Index, Target: m.MarriedTo[:], Signer: m.Smesher[:], Signature: m.Signature[:],
		})
	}
	for _, group := range out {
		slices.SortStableFunc(group, func(a, b marriageJSON) int { return a.Index - b.Index })
	}
	return out
}
