package catchup

import (
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Sync is the node's sync state.
type Sync uint8

// States; see the package's comment.
const (
	NotSynced Sync = iota
	GossipSync
	Synced
)

func (s Sync) String() string {
	return [...]string{"notSynced", "gossipSync", "synced"}[min(s, Synced)]
}

// Params are the numbers of spec 08 §15.3.
type Params struct {
	EffectiveGenesis wire.LayerID
	LayersPerEpoch   uint32
	Threshold        uint32 // layers behind that make a node not synced
	GossipDuration   time.Duration
}

// Progress is what the node has and has done.
type Progress struct {
	Current    wire.LayerID // by the clock
	LastSynced wire.LayerID // its data is complete up to here
	Processed  wire.LayerID // by the state run
	StateError bool         // the last state run had an error
}

// State follows the node's sync state from run to run.
type State struct {
	params    Params
	sync      Sync
	atxSynced bool
	target    time.Time // when gossip sync may end
}

// NewState is not synced.
func NewState(params Params) *State { return &State{params: params} }

// Sync is the present state.
func (s *State) Sync() Sync { return s.sync }

// Listens tells whether the gossip gate is open.
func (s *State) Listens() bool { return s.sync != NotSynced }

// ATXSynced tells whether the gate of ATXs and malfeasance proofs is open.
func (s *State) ATXSynced() bool { return s.atxSynced }

// SetATXSynced opens that gate for good.
func (s *State) SetATXSynced() { s.atxSynced = true }

// BeforeRun applies what the clock has changed since the last run.
func (s *State) BeforeRun(p Progress) {
	switch {
	case p.Current <= s.params.EffectiveGenesis:
		s.sync = Synced
		if p.Current.Epoch(s.params.LayersPerEpoch) == 0 {
			s.atxSynced = true
		}
	case s.tooFarBehind(p):
		s.sync = NotSynced
	}
}

// AfterRun applies a run's result.
func (s *State) AfterRun(now time.Time, ok bool, p Progress) {
	complete := ok && dataSynced(p) && s.stateSynced(p)
	switch s.sync {
	case Synced:
		if !ok && s.tooFarBehind(p) {
			s.sync = NotSynced
		}
	case GossipSync:
		if !complete {
			s.target = now.Add(s.params.GossipDuration)
		} else if !now.Before(s.target) {
			s.sync = Synced
		}
	case NotSynced:
		if complete {
			s.sync = GossipSync
			s.target = now.Add(s.params.GossipDuration)
		}
	}
}

func (s *State) tooFarBehind(p Progress) bool {
	return p.Current > p.LastSynced && uint32(p.Current-p.LastSynced) >= s.params.Threshold
}

func dataSynced(p Progress) bool { return p.Current <= 1 || p.LastSynced >= p.Current-1 }

func (s *State) stateSynced(p Progress) bool {
	return p.Current <= s.params.EffectiveGenesis || p.Processed >= p.Current-1 && !p.StateError
}
