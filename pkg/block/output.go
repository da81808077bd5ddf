package block

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Row is what is stored of a layer's output: one row a block, of the node's own
// hare session or of a certificate.
type Row struct {
	// Block is zero for the empty layer.
	Block wire.BlockID
	// Certificate is nil for the node's own output.
	Certificate *wire.Certificate
	Valid       bool
}

// Output is the layer's output by its rows: the only valid block, or the empty
// one when several are valid (spec 06 §11.6).
func Output(rows []Row) (block wire.BlockID, ok bool) {
	for _, row := range rows {
		switch {
		case !row.Valid:
		case ok:
			return wire.BlockID{}, true
		default:
			block, ok = row.Block, true
		}
	}
	return block, ok
}

// OwnOutput is what the node's own hare output adds to the rows of its layer: a
// row to insert, nil if none, and whether the tortoise is told (spec 06 §12.4).
// The tortoise hears it also when a certificate says otherwise: the node votes
// with what it saw itself.
func OwnOutput(rows []Row, output wire.BlockID) (insert *Row, tell bool) {
	tell = len(rows) <= 1
	for _, row := range byCertificate(rows) {
		if row.Block == output {
			return nil, tell
		}
		if row.Valid {
			return own(rows, output, false), tell
		}
	}
	return own(rows, output, true), tell
}

func own(rows []Row, output wire.BlockID, valid bool) *Row {
	if slices.ContainsFunc(rows, func(r Row) bool { return r.Block == output }) {
		return nil
	}
	return &Row{Block: output, Valid: valid}
}

// byCertificate puts the longest certificate first, and rows of equal length in
// order of blocks.
func byCertificate(rows []Row) []Row {
	type sized struct {
		Row
		size int
	}
	list := make([]sized, len(rows))
	for i, row := range rows {
		list[i].Row = row
		if row.Certificate != nil {
			list[i].size = len(codec.MustEncode(row.Certificate))
		}
	}
	slices.SortStableFunc(list, func(a, b sized) int {
		return cmp.Or(cmp.Compare(b.size, a.size), bytes.Compare(a.Block[:], b.Block[:]))
	})
	out := make([]Row, len(list))
	for i := range list {
		out[i] = list[i].Row
	}
	return out
}

// Adopts tells whether a peer's certificate for the layer is of use: only a node
// without any row of its own takes one, and only while hare's word counts (spec
// 06 §11.7).
func Adopts(layer, current, genesis wire.LayerID, hdist uint32, rows []Row) bool {
	oldest := genesis
	if uint64(current) > uint64(hdist) {
		oldest = max(genesis, current-wire.LayerID(hdist))
	}
	return len(rows) == 0 && layer > oldest
}
