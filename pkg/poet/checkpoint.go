package poet

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// maxStatement bounds a checkpoint's statement; every statement of a network
// has 32 bytes or none.
const maxStatement = 1 << 10

// Checkpoint is the state of sequential work. The file format is our own (spec
// 03 §20.2 leaves it free).
type Checkpoint struct {
	Statement []byte
	KeptLayer uint8
	Leaves    uint64
	// Parked are the nodes that wait for a sibling, the lowest layer first;
	// one for every bit set in Leaves.
	Parked []Node
}

// KeptNodes is how many nodes the kept layer has.
func (c *Checkpoint) KeptNodes() uint64 { return c.Leaves >> c.KeptLayer }

// Code describes the stored form.
func (c *Checkpoint) Code(coder *codec.Coder) {
	coder.Bytes(&c.Statement, maxStatement)
	coder.U8(&c.KeptLayer)
	coder.Compact64(&c.Leaves)
	codec.FixedList(coder, &c.Parked, 64)
}

// Seal is the stored form followed by its checksum.
func (c *Checkpoint) Seal() ([]byte, error) {
	raw, err := codec.Encode(c)
	if err != nil {
		return nil, err
	}
	sum := wire.Sum(raw)
	return append(raw, sum[:]...), nil
}

// OpenCheckpoint reads what Seal wrote; its error is ErrCheckpoint.
func OpenCheckpoint(sealed []byte) (Checkpoint, error) {
	var c Checkpoint
	cut := len(sealed) - len(wire.Hash32{})
	if cut < 0 || wire.Sum(sealed[:cut]) != [32]byte(sealed[cut:]) || codec.Decode(sealed[:cut], &c) != nil {
		return Checkpoint{}, ErrCheckpoint
	}
	return c, nil
}
