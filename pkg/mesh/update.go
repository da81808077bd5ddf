package mesh

import "github.com/smeshery/smeshery/pkg/wire"

// Flags is what is known of a block in an update.
type Flags uint8

// Flags of spec 06 §9.12.
const (
	// Valid and Invalid are the tortoise's validity; neither is undecided.
	Valid Flags = 1 << iota
	Invalid
	// Hare: the block is hare's output.
	Hare
	// Data: the block's body is stored.
	Data
	// Local: this node votes for the block.
	Local
)

// Block is a block of an update.
type Block struct {
	ID    wire.BlockID
	Flags Flags
}

// Update is the tortoise's view of a layer, in layer order.
type Update struct {
	Layer    wire.LayerID
	Verified bool
	// Opinion is the aggregated hash of the layer.
	Opinion wire.Hash32
	Blocks  []Block
}

// FirstValid is the block to apply: the first that is valid, else the first
// that hare put out and is not invalid, else none (the zero id).
func (u *Update) FirstValid() wire.BlockID {
	for _, b := range u.Blocks {
		if b.Flags&Valid != 0 {
			return b.ID
		}
	}
	for _, b := range u.Blocks {
		if b.Flags&Hare != 0 && b.Flags&Invalid == 0 {
			return b.ID
		}
	}
	return wire.BlockID{}
}

// missing lists the blocks that matter and have no body.
func (u *Update) missing() (ids []wire.BlockID) {
	for _, b := range u.Blocks {
		if b.Flags&(Valid|Hare|Local) != 0 && b.Flags&Data == 0 {
			ids = append(ids, b.ID)
		}
	}
	return ids
}
