package tortoise

import (
	"encoding/binary"
	"math/rand"

	"github.com/smeshery/smeshery/pkg/wire"
)

// sim is a network whose smeshers all see what one instance sees, unless a test
// makes some of them misbehave.
type sim struct {
	*world
	rng      *rand.Rand
	smeshers []smesher
	refs     map[wire.NodeID]wire.BallotID
	serial   uint64
	// perLayer is how many ballots a layer gets.
	perLayer int
	beacon   wire.Beacon
	// disk takes what a node would store, if it is there.
	disk *disk
}

type smesher struct {
	node   wire.NodeID
	atx    wire.ATXID
	weight uint64
	height uint64
}

func newSim(p Params, smeshers, perLayer int, seed int64) *sim {
	index := NewATXTable()
	s := &sim{
		world: &world{params: p, index: index, t: New(p, index)}, rng: rand.New(rand.NewSource(seed)),
		perLayer: perLayer, beacon: wire.Beacon{1, 2, 3, 4},
	}
	for range smeshers {
		s.smeshers = append(s.smeshers, smesher{
			node: wire.NodeID(s.fresh()), weight: uint64(1000 + s.rng.Intn(1000)), height: uint64(100 + s.rng.Intn(100)),
		})
	}
	return s
}

func (s *sim) fresh() [32]byte {
	s.serial++
	return wire.Sum(binary.LittleEndian.AppendUint64(nil, s.serial))
}

func (s *sim) id20() [20]byte {
	full := s.fresh()
	return [20]byte(full[:20])
}

// apply stores and makes a call.
func (s *sim) apply(in Input) error {
	if s.disk != nil {
		s.disk.store(in)
	}
	effects, err := s.t.Apply(in)
	s.effects(effects)
	return err
}

func (s *sim) must(in Input) {
	if err := s.apply(in); err != nil {
		panic(err)
	}
}

// openEpoch gives every smesher an ATX.
func (s *sim) openEpoch(epoch wire.EpochID) {
	s.refs = make(map[wire.NodeID]wire.BallotID)
	for i := range s.smeshers {
		m := &s.smeshers[i]
		m.atx = s.fresh()
		atx := ATX{Node: m.node, Weight: m.weight, Height: m.height}
		s.index.Add(epoch, m.atx, atx)
		s.must(Input{ATX: &ATXInput{epoch, atx}})
	}
	s.must(Input{Beacon: &BeaconInput{epoch, s.beacon}})
}

// slots is how many eligibilities every smesher has in an epoch.
func (s *sim) slots() uint32 {
	return max(1, s.params.LayersPerEpoch*uint32(s.perLayer)/uint32(len(s.smeshers)))
}

// ballot is one of a smesher on an opinion.
func (s *sim) ballot(layer wire.LayerID, m *smesher, opinion *wire.Opinion) *Ballot {
	b := &Ballot{
		ID: s.id20(), Smesher: m.node, Layer: layer, ATX: m.atx, Opinion: opinion.Hash, Proofs: 1, Votes: opinion.Votes,
	}
	if ref, ok := s.refs[m.node]; ok {
		b.Ref = ref
	} else {
		b.EpochData = &EpochData{Beacon: s.beacon, Slots: s.slots()}
		s.refs[m.node] = b.ID
	}
	return b
}

// layer plays one honest layer.
func (s *sim) layer(layer wire.LayerID) {
	s.ballots(layer)
	header := wire.Vote{ID: s.id20(), LayerID: layer, Height: 90 + uint64(s.rng.Intn(20))}
	s.must(Input{Block: &header})
	s.must(Input{Hare: &HareInput{layer, header.ID}})
	s.must(Input{Coin: &CoinInput{layer, s.rng.Intn(2) == 0}})
	s.follow(layer)
}

func (s *sim) ballots(layer wire.LayerID) {
	if layer.FirstInEpoch(s.params.LayersPerEpoch) {
		s.openEpoch(layer.Epoch(s.params.LayersPerEpoch))
	}
	opinion, err := s.t.EncodeVotes(layer)
	if err != nil {
		panic(err)
	}
	for range s.perLayer {
		m := &s.smeshers[s.rng.Intn(len(s.smeshers))]
		s.must(Input{Ballot: s.ballot(layer, m, opinion)})
	}
}

// follow tallies and applies like the mesh.
func (s *sim) follow(layer wire.LayerID) {
	s.must(Input{Tally: &layer})
	for _, r := range s.t.Updates() {
		if s.disk != nil {
			s.disk.write(&r)
		}
		if r.Verified {
			s.must(Input{Applied: &AppliedInput{r.Layer, r.Opinion}})
		}
	}
}

// write is how the mesh stores a result.
func (d *disk) write(r *LayerResult) {
	d.opinions[r.Layer] = r.Opinion
	d.applied = max(d.applied, r.Layer)
	for _, b := range r.Blocks {
		if b.Data && (b.Valid || b.Invalid) {
			d.valid[b.Header.ID] = b.Valid
		}
	}
}

func mainnet() Params {
	return Params{
		LayersPerEpoch: 4032, EffectiveGenesis: 8063, Hdist: 10, Zdist: 2, Window: 4032,
		MaxExceptions: 1000, BadBeaconDelay: 4032,
	}
}
