package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// BlockResult is what is decided about a block.
type BlockResult struct {
	Header wire.Vote
	// Valid and Invalid: votes decided so; neither is undecided.
	Valid, Invalid bool
	// Hare: hare ended with this block.
	Hare bool
	// Data: the body is available.
	Data bool
	// Local: the margin crosses the local threshold.
	Local bool
}

// LayerResult is what is decided about a layer (spec 06 §9.12).
type LayerResult struct {
	Layer    wire.LayerID
	Verified bool
	// Opinion is the aggregated hash of the layer.
	Opinion wire.Hash32
	// Blocks are in ascending (height, id) order.
	Blocks []BlockResult
}

// FirstValid is the block that the layer applies; zero is none.
func (r *LayerResult) FirstValid() wire.BlockID {
	for _, b := range r.Blocks {
		if b.Valid {
			return b.Header.ID
		}
	}
	for _, b := range r.Blocks {
		if b.Hare && !b.Invalid {
			return b.Header.ID
		}
	}
	return wire.BlockID{}
}

// Missing are the blocks that matter and whose bodies are not available (spec 06
// §12.2).
func (r *LayerResult) Missing() []wire.BlockID {
	var ids []wire.BlockID
	for _, b := range r.Blocks {
		if (b.Valid || b.Hare || b.Local) && !b.Data {
			ids = append(ids, b.Header.ID)
		}
	}
	return ids
}

// Updates are the results from the lowest changed layer through the processed
// ones, the same again until OnApplied tells that they were used.
func (t *Tortoise) Updates() []LayerResult {
	if t.pending == 0 {
		return nil
	}
	return t.Results(t.pending, t.processed)
}

// Results are those of the layers first to last that are kept and processed.
func (t *Tortoise) Results(first, last wire.LayerID) []LayerResult {
	var results []LayerResult
	for id := max(first, t.evicted+1); id <= min(last, t.processed); id++ {
		results = append(results, t.result(t.layers.get(id)))
	}
	return results
}

func (t *Tortoise) result(l *layer) LayerResult {
	r := LayerResult{Layer: l.id, Verified: l.id <= t.verified, Opinion: l.opinion}
	for _, b := range l.blocks {
		r.Blocks = append(r.Blocks, BlockResult{
			Header: b.header(),
			Valid:  b.validity == support, Invalid: b.validity == against,
			Hare: b.hare == support, Data: b.data,
			Local: b.margin.Crosses(t.localThreshold) == 1,
		})
	}
	return r
}

// OnApplied tells that the mesh follows the results of a layer. It is false when
// the opinion is not the current one, and then changes nothing.
func (t *Tortoise) OnApplied(id wire.LayerID, opinion wire.Hash32) (bool, Effects) {
	l := t.layers.get(id)
	if l == nil || id > t.processed || l.opinion != opinion {
		return false, Effects{}
	}
	before := t.pending
	if t.pending = min(id+1, t.processed); t.pending != before {
		t.evict()
	}
	return true, t.effects()
}
