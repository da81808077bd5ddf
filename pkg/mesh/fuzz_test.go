package mesh

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/wire"
)

// FuzzProcess plans arbitrary updates over arbitrary markers: steps are in
// order, none stands above a missing body, and what was carried out is not
// executed again.
func FuzzProcess(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, uint8(2))
	f.Add([]byte{0xff, 0x80, 0x09, 0x09, 0x0b, 0x04, 0x0d}, uint8(0))
	f.Fuzz(func(t *testing.T, program []byte, applied uint8) {
		const genesis = wire.LayerID(5)
		w := &table{
			applied: map[wire.LayerID]wire.BlockID{genesis: {}}, hashes: make(map[wire.LayerID]wire.Hash32),
			known: map[wire.LayerID]bool{genesis: true}, validity: make(map[wire.BlockID]bool),
		}
		last := genesis
		for range applied % 8 {
			last++
			w.applied[last], w.known[last] = wire.BlockID{byte(last), applied}, true
		}
		m := Restore(genesis, last, last)
		var updates []Update
		layer := genesis + 1
		for _, op := range program {
			if op&0x80 != 0 || len(updates) == 0 {
				updates = append(updates, Update{Layer: layer, Verified: op&0x40 != 0})
				layer++
				continue
			}
			u := &updates[len(updates)-1]
			u.Blocks = append(u.Blocks, Block{ID: wire.BlockID{byte(u.Layer), op >> 5}, Flags: Flags(op & 0x1f)})
		}
		plan := m.Process(updates, w)
		for i := 1; i < len(plan.Steps); i++ {
			require.Greater(t, plan.Steps[i].Layer, plan.Steps[i-1].Layer)
		}
		for _, s := range plan.Steps {
			for _, u := range updates {
				if u.Layer <= s.Layer {
					require.Empty(t, u.missing(), "layer %d is applied over a missing body in %d", s.Layer, u.Layer)
				}
			}
		}
		w.carryOut(m, plan)
		again := m.Process(updates, w)
		require.False(t, again.Revert)
		for _, s := range again.Steps {
			require.False(t, s.Execute)
		}
	})
}
