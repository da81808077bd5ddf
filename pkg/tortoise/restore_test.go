package tortoise

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

// disk is a Reader over what a run stored.
type disk struct {
	snapshot []byte
	inputs   []Input
	now      wire.LayerID
	applied  wire.LayerID
	valid    map[wire.BlockID]bool
	atxs     map[wire.EpochID][]ATX
	beacons  map[wire.EpochID]wire.Beacon
	opinions map[wire.LayerID]wire.Hash32
	blocks   map[wire.LayerID][]wire.Vote
	hare     map[wire.LayerID]wire.BlockID
	ballots  map[wire.LayerID][]Ballot
	coins    map[wire.LayerID]bool
	nodes    []wire.NodeID
	err      error
}

func newDisk() *disk {
	return &disk{
		valid: make(map[wire.BlockID]bool), atxs: make(map[wire.EpochID][]ATX), beacons: make(map[wire.EpochID]wire.Beacon),
		opinions: make(map[wire.LayerID]wire.Hash32), blocks: make(map[wire.LayerID][]wire.Vote),
		hare: make(map[wire.LayerID]wire.BlockID), ballots: make(map[wire.LayerID][]Ballot), coins: make(map[wire.LayerID]bool),
	}
}

func (d *disk) Snapshot() []byte                  { return d.snapshot }
func (d *disk) Inputs() iter.Seq[Input]           { return slices.Values(d.inputs) }
func (d *disk) Now() wire.LayerID                 { return d.now }
func (d *disk) LastApplied() wire.LayerID         { return d.applied }
func (d *disk) Malicious() []wire.NodeID          { return d.nodes }
func (d *disk) Err() error                        { return d.err }
func (d *disk) ATXs(e wire.EpochID) iter.Seq[ATX] { return slices.Values(d.atxs[e]) }

func highest[T any](m map[wire.LayerID]T, ok func(T) bool) (top wire.LayerID) {
	for id, v := range m {
		if ok(v) {
			top = max(top, id)
		}
	}
	return top
}

func (d *disk) LastBallot() wire.LayerID {
	return highest(d.ballots, func(list []Ballot) bool { return len(list) > 0 })
}

func (d *disk) LastValid() wire.LayerID {
	return highest(d.blocks, func(list []wire.Vote) bool {
		return slices.ContainsFunc(list, func(v wire.Vote) bool { return d.valid[v.ID] })
	})
}

func (d *disk) LastTarget() (top wire.EpochID) {
	for id := range d.atxs {
		top = max(top, id)
	}
	return top
}

func (d *disk) Beacon(e wire.EpochID) (wire.Beacon, bool) {
	b, ok := d.beacons[e]
	return b, ok
}

func (d *disk) Opinion(l wire.LayerID) (wire.Hash32, bool) {
	h, ok := d.opinions[l]
	return h, ok
}

func (d *disk) Blocks(l wire.LayerID) (out []RecoveredBlock) {
	for _, b := range d.blocks[l] {
		out = append(out, RecoveredBlock{Header: b, Valid: d.valid[b.ID]})
	}
	return out
}

func (d *disk) HareOutput(l wire.LayerID) (wire.BlockID, bool) {
	id, ok := d.hare[l]
	return id, ok
}

func (d *disk) Ballots(l wire.LayerID) []Ballot { return d.ballots[l] }

func (d *disk) Coin(l wire.LayerID) (bool, bool) {
	coin, ok := d.coins[l]
	return coin, ok
}

// store writes what a node writes on an input, before the state has it.
func (d *disk) store(in Input) {
	switch {
	case in.ATX != nil:
		d.atxs[in.ATX.Target] = append(d.atxs[in.ATX.Target], in.ATX.ATX)
	case in.Malfeasance != nil:
		d.nodes = append(d.nodes, *in.Malfeasance)
	case in.Beacon != nil:
		d.beacons[in.Beacon.Epoch] = in.Beacon.Beacon
	case in.Coin != nil:
		d.coins[in.Coin.Layer] = in.Coin.Coin
	case in.Block != nil:
		d.blocks[in.Block.LayerID] = append(d.blocks[in.Block.LayerID], *in.Block)
	case in.Hare != nil:
		d.hare[in.Hare.Layer] = in.Hare.Block
	case in.Ballot != nil:
		d.ballots[in.Ballot.Layer] = append(d.ballots[in.Ballot.Layer], *in.Ballot)
	}
}

// reloaded is the state after a restart.
func (w *world) reloaded(t testing.TB) *Tortoise {
	snapshot := w.t.AppendSnapshot(nil)
	restored, err := Restore(w.params, w.index, &disk{snapshot: snapshot})
	require.NoError(t, err)
	require.Equal(t, snapshot, restored.AppendSnapshot(nil))
	require.Equal(t, w.t.Status(), restored.Status())
	return restored
}

// TestRestartAfterEveryStep plays the vectors on an instance that is replaced by
// its restored self after each step.
func TestRestartAfterEveryStep(t *testing.T) {
	for _, name := range scenarioFiles {
		vectors.Run(t, "tortoise/"+name, func(t *testing.T, c scenario) {
			w := newWorld(c.Config)
			for i, s := range c.Steps {
				w.step(t, i, s)
				w.t = w.reloaded(t)
			}
		})
	}
}

// TestReplayAfterEveryStep restores from a snapshot of the start and the inputs
// since, and compares with the state that lived through them.
func TestReplayAfterEveryStep(t *testing.T) {
	for _, name := range scenarioFiles {
		vectors.Run(t, "tortoise/"+name, func(t *testing.T, c scenario) {
			w := newWorld(c.Config)
			d := &disk{snapshot: w.t.AppendSnapshot(nil)}
			for i, s := range c.Steps {
				in, ok := (recorder{t}).input(&s)
				if !ok {
					if w.step(t, i, s); s.Op != "updates" && s.Op != "encode" && s.Op != "dump" {
						d.snapshot, d.inputs = w.t.AppendSnapshot(nil), nil
					}
					continue
				}
				d.inputs = append(d.inputs, in)
				w.step(t, i, s)
				if in.Tally != nil {
					// Epochs leave the index at tallies; those before a snapshot.
					d.snapshot, d.inputs = w.t.AppendSnapshot(nil), nil
				}
				restored, err := Restore(w.params, w.index, d)
				require.NoError(t, err)
				require.Equal(t, w.t.AppendSnapshot(nil), restored.AppendSnapshot(nil), "step %d %s", i, s.Op)
			}
		})
	}
}

func TestDamagedSnapshotIsNotUsed(t *testing.T) {
	s := newSim(small8(), 8, 4, 1)
	for layer := s.params.EffectiveGenesis + 1; layer < 40; layer++ {
		s.layer(layer)
	}
	snapshot := s.t.AppendSnapshot(nil)
	for i := 0; i < len(snapshot); i += 7 {
		bad := slices.Clone(snapshot)
		bad[i] ^= 1
		_, err := fromSnapshot(s.params, s.index, bad)
		require.Error(t, err)
		// Under a hash that fits, it is refused or read, and never stops the process.
		sum := wire.Sum(bad[32:])
		copy(bad, sum[:])
		_, _ = fromSnapshot(s.params, s.index, bad)
	}
	restored, err := Restore(s.params, s.index, &disk{snapshot: snapshot[:100]})
	require.NoError(t, err)
	require.Equal(t, s.params.EffectiveGenesis, restored.Status().Last)
}

func TestRestoreReportsReadErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	_, err := Restore(small8(), NewATXTable(), &disk{err: broken})
	require.ErrorIs(t, err, broken)
}

// TestRebuildAgrees stops a run after each layer, rebuilds the state from stored
// objects alone, and goes on with it: opinions, results and votes are the same.
func TestRebuildAgrees(t *testing.T) {
	s := newSim(small8(), 8, 4, 3)
	s.disk = newDisk()
	for layer := s.params.EffectiveGenesis + 1; layer < 60; layer++ {
		s.layer(layer)
		s.disk.now = layer
		rebuilt, err := Restore(s.params, s.index, s.disk)
		require.NoError(t, err)
		require.Equal(t, s.t.verified, rebuilt.verified)
		require.Equal(t, s.t.mode, rebuilt.mode)
		for id := max(s.t.evicted, rebuilt.evicted) + 1; id <= layer; id++ {
			require.Equal(t, s.t.layers.get(id).opinion, rebuilt.layers.get(id).opinion, "layer %d at %d", id, layer)
		}
		mine, err := s.t.EncodeVotes(layer + 1)
		require.NoError(t, err)
		theirs, err := rebuilt.EncodeVotes(layer + 1)
		require.NoError(t, err)
		require.Equal(t, mine.Hash, theirs.Hash)
		if layer%5 == 0 {
			s.t = rebuilt
		}
	}
	require.Greater(t, s.t.evicted, s.params.EffectiveGenesis+20)
}

func small8() Params {
	return Params{
		LayersPerEpoch: 4, EffectiveGenesis: 7, Hdist: 3, Zdist: 2, Window: 8, MaxExceptions: 100, BadBeaconDelay: 4,
	}
}
