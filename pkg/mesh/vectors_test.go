package mesh

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

type call struct {
	Call    string       `json:"call"`
	Layer   wire.LayerID `json:"layer"`
	Block   vectors.Hex  `json:"block"`
	Opinion vectors.Hex  `json:"opinion"`
}

type layerRow struct {
	Layer    wire.LayerID `json:"layer"`
	Applied  vectors.Hex  `json:"applied"`
	MeshHash vectors.Hex  `json:"mesh_hash"`
}

type blockFlags struct {
	ID    vectors.Hex `json:"id"`
	Flags string      `json:"flags"`
}

type step struct {
	Layer   wire.LayerID `json:"layer"`
	Updates []struct {
		Layer    wire.LayerID `json:"layer"`
		Opinion  vectors.Hex  `json:"opinion"`
		Verified bool         `json:"verified"`
		Blocks   []blockFlags `json:"blocks"`
	} `json:"updates"`
	Calls     []call         `json:"calls"`
	Layers    []layerRow     `json:"layers"`
	InState   wire.LayerID   `json:"in_state"`
	Processed wire.LayerID   `json:"processed"`
	Missing   []vectors.Hex  `json:"missing"`
	Error     string         `json:"error"`
	Validity  map[string]any `json:"validity"`
}

func flagsOf(letters string) (f Flags) {
	for i, letter := range "vihdl" {
		if strings.ContainsRune(letters, letter) {
			f |= 1 << i
		}
	}
	return f
}

// table stands for the layers table and the executor: it carries plans out.
type table struct {
	applied  map[wire.LayerID]wire.BlockID
	hashes   map[wire.LayerID]wire.Hash32
	known    map[wire.LayerID]bool
	validity map[wire.BlockID]bool
	calls    []call
}

func (w *table) Block(l wire.LayerID) (wire.BlockID, bool) {
	id, ok := w.applied[l]
	return id, ok
}

func (w *table) Last() (last wire.LayerID) {
	for l := range w.applied {
		last = max(last, l)
	}
	return last
}

func (w *table) carryOut(m *Mesh, p Plan) {
	if p.Revert {
		w.calls = append(w.calls, call{Call: "revert", Layer: p.RevertTo})
		for l := range w.known {
			if l > p.RevertTo {
				delete(w.applied, l)
				delete(w.hashes, l)
			}
		}
		m.Reverted(p.RevertTo)
	}
	for _, s := range p.Steps {
		if s.Execute {
			w.calls = append(w.calls, call{Call: "execute", Layer: s.Layer, Block: s.Block[:]})
		}
		w.applied[s.Layer], w.hashes[s.Layer], w.known[s.Layer] = s.Block, s.Opinion, true
		for _, v := range s.Validity {
			w.validity[v.ID] = v.Valid
		}
		if s.Verified {
			w.calls = append(w.calls, call{Call: "on_applied", Layer: s.Layer, Opinion: s.Opinion[:]})
		}
		m.Applied(s.Layer)
	}
}

func TestVectorsProcessLayer(t *testing.T) {
	type processing struct {
		Genesis wire.LayerID `json:"effective_genesis"`
		Steps   []step       `json:"steps"`
	}
	vectors.Run(t, "mesh/mesh_process_layer", func(t *testing.T, c processing) {
		w := &table{
			applied: map[wire.LayerID]wire.BlockID{c.Genesis: {}},
			hashes:  map[wire.LayerID]wire.Hash32{c.Genesis: wire.HashATXList(nil)},
			known:   map[wire.LayerID]bool{c.Genesis: true}, validity: make(map[wire.BlockID]bool),
		}
		m := Restore(c.Genesis, c.Genesis, c.Genesis)
		for i, s := range c.Steps {
			w.calls = []call{{Call: "tally", Layer: s.Layer}}
			m.Advance(s.Layer)
			w.known[s.Layer] = true
			updates := make([]Update, len(s.Updates))
			for i, u := range s.Updates {
				updates[i] = Update{Layer: u.Layer, Verified: u.Verified, Opinion: wire.Hash32(u.Opinion)}
				for _, b := range u.Blocks {
					updates[i].Blocks = append(updates[i].Blocks, Block{ID: wire.BlockID(b.ID), Flags: flagsOf(b.Flags)})
				}
			}
			plan := m.Process(updates, w)
			w.carryOut(m, plan)
			s.check(t, i, m, w, plan)
			again := m.Process(updates, w)
			require.False(t, again.Revert)
			for _, step := range again.Steps {
				require.False(t, step.Execute, "a plan that was carried out executes again")
			}
		}
	})
}

func (s *step) check(t *testing.T, i int, m *Mesh, w *table, p Plan) {
	t.Helper()
	require.Len(t, w.calls, len(s.Calls), "step %d: %v", i, w.calls)
	for j, want := range s.Calls {
		got := w.calls[j]
		require.Equal(t, want.Call, got.Call)
		require.Equal(t, want.Layer, got.Layer)
		require.Equal(t, want.Block.String(), got.Block.String())
		require.Equal(t, want.Opinion.String(), got.Opinion.String())
	}
	var missing []string
	for _, id := range p.Missing {
		missing = append(missing, id.String())
	}
	var wantMissing []string
	for _, id := range s.Missing {
		wantMissing = append(wantMissing, id.String())
	}
	if s.Error != "" {
		require.Equal(t, "layers_not_in_order", s.Error)
		require.ErrorIs(t, p.Err, ErrOrder)
	} else {
		// With an error the reference names no bodies; a plan still does.
		require.NoError(t, p.Err, "step %d", i)
		require.Equal(t, wantMissing, missing, "step %d", i)
	}
	require.Equal(t, s.InState, m.InState(), "step %d", i)
	require.Equal(t, s.Processed, m.Processed(), "step %d", i)
	for _, row := range s.Layers {
		applied, ok := w.applied[row.Layer]
		require.Equal(t, row.Applied != nil, ok, "step %d layer %d", i, row.Layer)
		if ok {
			require.Equal(t, wire.BlockID(row.Applied), applied)
			require.Equal(t, wire.Hash32(row.MeshHash), w.hashes[row.Layer])
		}
	}
	for id, want := range s.Validity {
		raw, err := hex.DecodeString(id)
		require.NoError(t, err)
		got, ok := w.validity[wire.BlockID(raw)]
		require.True(t, ok, "step %d block %s", i, id)
		require.Equal(t, want, got, "step %d block %s", i, id)
	}
	require.Len(t, w.validity, len(s.Validity), "step %d", i)
}
