package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Reasons to refuse a file, in the order they are looked for (spec 07 §11.2).
var (
	// ErrJSON: not JSON, or a value out of its type's range.
	ErrJSON = errors.New("not a readable checkpoint")
	// ErrSchema: members are missing or of another type.
	ErrSchema = errors.New("not a checkpoint by its schema")
	// ErrVersion: a format we do not know.
	ErrVersion = errors.New("unknown checkpoint version")
	// ErrStore: something is in the file twice.
	ErrStore = errors.New("duplicate in checkpoint")
)

// Read validates a file and decodes it for a restore at the given layer, which
// is not 0. The result shares no memory with the file.
func Read(raw []byte, restore wire.LayerID) (*Snapshot, error) {
	if !json.Valid(raw) {
		return nil, ErrJSON
	}
	if err := checkSchema(raw); err != nil {
		return nil, err
	}
	var file fileJSON
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	if err := checkMarriages(file.Data.Marriages); err != nil {
		return nil, err
	}
	if file.Version != Version {
		return nil, fmt.Errorf("%w: %q", ErrVersion, file.Version)
	}
	return file.Data.restored(EffectiveGenesis(restore))
}

// checkMarriages refuses byte strings whose shortness crashes the network's
// software.
func checkMarriages(marriages map[int64][]marriageJSON) error {
	for _, id := range slices.Sorted(maps.Keys(marriages)) {
		for i := range marriages[id] {
			m := &marriages[id][i]
			if len(m.ATX) < len(wire.ATXID{}) || len(m.Signature) < len(wire.EdSignature{}) {
				return fmt.Errorf("%w: marriage %d has a short atx or signature", ErrJSON, id)
			}
		}
	}
	return nil
}

// restored builds the snapshot and refuses what could not be stored.
func (d *dataJSON) restored(layer wire.LayerID) (*Snapshot, error) {
	out := &Snapshot{}
	addresses := make(map[wire.Address]bool, len(d.Accounts))
	for i := range d.Accounts {
		account := d.Accounts[i].restored(layer)
		if addresses[account.Address] {
			return nil, fmt.Errorf("%w: account %v", ErrStore, account.Address)
		}
		addresses[account.Address] = true
		out.Accounts = append(out.Accounts, account)
	}
	if err := d.restoreATXs(out); err != nil {
		return nil, err
	}
	return out, d.restoreMarriages(out)
}

func (d *dataJSON) restoreATXs(out *Snapshot) error {
	at := make(map[wire.ATXID]int, len(d.ATXs))
	for i := range d.ATXs {
		atx := d.ATXs[i].restored()
		if first, twice := at[atx.ID]; !twice {
			at[atx.ID] = len(out.ATXs)
			out.ATXs = append(out.ATXs, atx)
		} else if !sameButMarriage(&out.ATXs[first], &atx) {
			return fmt.Errorf("%w: atx %v", ErrStore, atx.ID)
		}
	}
	return nil
}

// sameButMarriage recognises the duplicate that the network's software writes of
// a marriage ATX that is among the newest of its identity.
func sameButMarriage(a, b *ATX) bool {
	x, y := *a, *b
	units := maps.Equal(x.Units, y.Units)
	x.Units, y.Units = nil, nil
	return units && x.Marriage != y.Marriage && x.equalFields(&y)
}

func (a *ATX) equalFields(b *ATX) bool {
	return a.ID == b.ID && a.PublishEpoch == b.PublishEpoch && a.Commitment == b.Commitment &&
		a.VRFNonce == b.VRFNonce && a.BaseTickHeight == b.BaseTickHeight && a.TickCount == b.TickCount &&
		a.Smesher == b.Smesher && a.Sequence == b.Sequence && a.Coinbase == b.Coinbase && a.NumUnits == b.NumUnits
}

func (d *dataJSON) restoreMarriages(out *Snapshot) error {
	married := make(map[wire.NodeID]bool)
	for _, id := range slices.Sorted(maps.Keys(d.Marriages)) {
		for i := range d.Marriages[id] {
			m := &d.Marriages[id][i]
			smesher := node(m.Signer)
			if married[smesher] {
				return fmt.Errorf("%w: marriage of %v", ErrStore, smesher)
			}
			married[smesher] = true
			out.Marriages = append(out.Marriages, Marriage{
				ID: id, ATX: wire.ATXID(m.ATX[:32]), Index: m.Index, Smesher: smesher,
				MarriedTo: node(m.Target), Signature: wire.EdSignature(m.Signature[:64]),
			})
		}
	}
	return nil
}
