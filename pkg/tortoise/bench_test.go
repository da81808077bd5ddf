package tortoise

import (
	"runtime"
	"testing"

	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

const windowLayers = 4032

func window(b *testing.B) *sim {
	s := newSim(mainnet(), 2000, 50, 1)
	g := s.params.EffectiveGenesis
	for layer := g + 1; layer <= g+windowLayers; layer++ {
		s.layer(layer)
	}
	return s
}

// forget undoes full counting.
func (t *Tortoise) forget() {
	t.mode, t.counted = Verifying, t.params.EffectiveGenesis
	for _, l := range t.layers.row {
		l.emptyMargin = fixed.Number{}
		for _, b := range l.blocks {
			b.margin = fixed.Number{}
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkWindowFull counts every vote of a mainnet window.
func BenchmarkWindowFull(b *testing.B) {
	before := heap()
	s := window(b)
	size := heap() - before
	b.ReportAllocs()
	for b.Loop() {
		s.t.forget()
		s.t.becomeFull()
		s.t.verifyLayers()
	}
	b.ReportMetric(float64(size)/(1<<20), "window-MB")
	runtime.KeepAlive(s)
}

// BenchmarkWindowLoad decodes, stores and tallies a mainnet window.
func BenchmarkWindowLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		window(b)
	}
}

// BenchmarkTally tallies one more layer on top of a mainnet window.
func BenchmarkTally(b *testing.B) {
	for _, mode := range []Mode{Verifying, Full} {
		b.Run(mode.String(), func(b *testing.B) {
			s := window(b)
			layer := s.t.last
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				layer++
				s.ballots(layer)
				header := wire.Vote{ID: s.id20(), LayerID: layer, Height: 100}
				s.t.OnBlock(header)
				s.t.OnHareOutput(layer, header.ID)
				if mode == Full {
					s.t.becomeFull()
				}
				b.StartTimer()
				s.t.Tally(layer)
				b.StopTimer()
				s.follow(layer)
				b.StartTimer()
			}
		})
	}
}

func BenchmarkEncodeVotes(b *testing.B) {
	s := window(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.t.EncodeVotes(s.t.last + 1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode reads a ballot whose opinion is new, and one that agrees.
func BenchmarkDecode(b *testing.B) {
	s := window(b)
	layer := s.t.last + 1
	opinion, err := s.t.EncodeVotes(layer)
	if err != nil {
		b.Fatal(err)
	}
	ballot := s.ballot(layer, &s.smeshers[0], opinion)
	run := func(name string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.t.Decode(ballot); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("new")
	if err := s.t.OnBallot(s.ballot(layer, &s.smeshers[1], opinion)); err != nil {
		b.Fatal(err)
	}
	run("agreed")
}

// BenchmarkDecodeDeep reads a ballot that differs at the far end of the window.
func BenchmarkDecodeDeep(b *testing.B) {
	s := window(b)
	layer := s.t.last + 1
	ballot := s.deepBallot(layer, &s.smeshers[0], s.t.evicted+2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.t.Decode(ballot); err != nil {
			b.Fatal(err)
		}
	}
}

// deepBallot withdraws the vote of the newest ballot on an old layer.
func (s *sim) deepBallot(layer wire.LayerID, m *smesher, old wire.LayerID) *Ballot {
	base := s.t.layers.get(layer - 1).ballots[0]
	votes := wire.Votes{Base: base.id}
	for _, b := range s.t.layers.get(old).blocks {
		votes.Against = append(votes.Against, b.header())
	}
	for _, b := range s.t.layers.get(layer - 1).blocks {
		votes.Support = append(votes.Support, b.header())
	}
	d, err := s.t.decodeVotes(base.opinion, &votes, layer, s.t.evicted+1)
	if err != nil {
		panic(err)
	}
	return s.ballot(layer, m, &wire.Opinion{Hash: d.hash, Votes: votes})
}

// BenchmarkWindowHostile counts a window in which one ballot in ten rewrites the
// whole of its votes.
func BenchmarkWindowHostile(b *testing.B) {
	before := heap()
	s := newSim(mainnet(), 2000, 45, 1)
	g := s.params.EffectiveGenesis
	for layer := g + 1; layer <= g+windowLayers; layer++ {
		s.layer(layer)
		if layer < g+10 {
			continue
		}
		for range 5 {
			old := g + 1 + wire.LayerID(s.rng.Intn(8))
			if err := s.t.OnBallot(s.deepBallot(layer, &s.smeshers[s.rng.Intn(2000)], old)); err != nil {
				b.Fatal(err)
			}
		}
	}
	size := heap() - before
	b.ReportAllocs()
	for b.Loop() {
		s.t.forget()
		s.t.becomeFull()
		s.t.verifyLayers()
	}
	b.ReportMetric(float64(size)/(1<<20), "window-MB")
	runtime.KeepAlive(s)
}

func BenchmarkSnapshot(b *testing.B) {
	s := window(b)
	snapshot := s.t.AppendSnapshot(nil)
	b.Run("take", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(snapshot)))
		for b.Loop() {
			s.t.AppendSnapshot(snapshot[:0])
		}
	})
	b.Run("restore", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(snapshot)))
		for b.Loop() {
			if _, err := fromSnapshot(s.params, s.index, snapshot); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkUnknownBlocks stores a ballot that supports as many blocks of old
// layers as a ballot may, none of which exists, while all votes count.
func BenchmarkUnknownBlocks(b *testing.B) {
	s := window(b)
	s.t.becomeFull()
	layer := s.t.last
	base := s.t.layers.get(layer - 1).ballots[0]
	for b.Loop() {
		b.StopTimer()
		votes := wire.Votes{Base: base.id}
		for range 1000 {
			old := s.t.evicted + 1 + wire.LayerID(s.rng.Intn(windowLayers-20))
			votes.Support = append(votes.Support, wire.Vote{ID: s.id20(), LayerID: old, Height: uint64(s.rng.Intn(200))})
		}
		d, err := s.t.decodeVotes(base.opinion, &votes, layer, s.t.evicted+1)
		if err != nil {
			b.Fatal(err)
		}
		ballot := s.ballot(layer, &s.smeshers[0], &wire.Opinion{Hash: d.hash, Votes: votes})
		b.StartTimer()
		if err := s.t.OnBallot(ballot); err != nil {
			b.Fatal(err)
		}
	}
}
