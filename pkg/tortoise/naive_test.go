package tortoise

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// plainVote is a vote on one layer as the rules tell it, without sharing.
type plainVote struct {
	abstain bool
	support []wire.Vote
}

// plainBallot is a ballot with all of its votes written out.
type plainBallot struct {
	id     wire.BallotID
	layer  wire.LayerID
	votes  map[wire.LayerID]plainVote
	height uint64
	weight fixed.Number
}

// plainDecode is spec 06 §9.4, step by step.
func plainDecode(base *plainBallot, votes *wire.Votes, layer wire.LayerID) (map[wire.LayerID]plainVote, Rule) {
	type change struct {
		vote    wire.Vote
		support bool
	}
	diff := make(map[wire.LayerID]map[wire.BlockID]change)
	for i, list := range [][]wire.Vote{votes.Against, votes.Support} {
		for _, v := range list {
			if diff[v.LayerID] == nil {
				diff[v.LayerID] = make(map[wire.BlockID]change)
			}
			if _, twice := diff[v.LayerID][v.ID]; twice {
				return nil, RuleDuplicateVote
			}
			diff[v.LayerID][v.ID] = change{v, i == 1}
		}
	}
	for _, l := range votes.Abstain {
		if _, twice := diff[l]; twice {
			return nil, RuleAbstainConflict
		}
		diff[l] = map[wire.BlockID]change{}
	}
	out := maps.Clone(base.votes)
	if out == nil {
		out = make(map[wire.LayerID]plainVote)
	}
	for l, changes := range diff {
		old, voted := base.votes[l]
		if l >= layer || !voted && l < base.layer {
			continue
		}
		if len(changes) == 0 {
			out[l] = plainVote{abstain: true}
			continue
		}
		vote := plainVote{abstain: old.abstain}
		for _, b := range old.support {
			c, mentioned := changes[b.ID]
			if !mentioned {
				vote.support = append(vote.support, b)
			} else if !c.support && c.vote.Height != b.Height {
				return nil, RuleAgainstWrongHeight
			}
		}
		for _, c := range changes {
			if c.support {
				vote.support = append(vote.support, c.vote)
			}
		}
		slices.SortFunc(vote.support, func(a, b wire.Vote) int {
			return cmp.Or(cmp.Compare(a.Height, b.Height), bytes.Compare(a.ID[:], b.ID[:]))
		})
		out[l] = vote
	}
	for l := base.layer; l < layer; l++ {
		if _, ok := out[l]; !ok {
			out[l] = plainVote{}
		}
	}
	return out, ""
}

func plainHash(votes map[wire.LayerID]plainVote) (hash wire.Hash32) {
	var prev *wire.Hash32
	for _, l := range slices.Sorted(maps.Keys(votes)) {
		hash = OpinionHash(prev, votes[l].abstain, votes[l].support)
		next := hash
		prev = &next
	}
	return hash
}

// plainMargin is spec 06 §9.8.2 for one block; for the empty layer without one.
func plainMargin(ballots []*plainBallot, layer wire.LayerID, id *wire.Vote, known []wire.Vote) (margin fixed.Number) {
	for _, b := range ballots {
		vote, ok := b.votes[layer]
		if !ok || vote.abstain {
			continue
		}
		counts := id == nil
		if id == nil {
			for _, k := range known {
				if k.Height <= b.height && slices.Contains(vote.support, k) {
					counts = false
				}
			}
		} else if id.Height > b.height {
			continue
		} else {
			counts = slices.Contains(vote.support, *id)
		}
		if counts {
			margin = margin.Add(b.weight)
		} else {
			margin = margin.Sub(b.weight)
		}
	}
	return margin
}

// wild is a network whose ballots vote at random.
type wild struct {
	*sim
	plain []*plainBallot
	known map[wire.BallotID]*plainBallot
	seen  []wire.Vote
}

func newWild(p Params, seed int64) *wild {
	w := &wild{sim: newSim(p, 6, 6, seed), known: make(map[wire.BallotID]*plainBallot)}
	w.known[wire.BallotID{}] = &plainBallot{layer: p.EffectiveGenesis}
	return w
}

func (w *wild) block(t *rapid.T, layer wire.LayerID) wire.Vote {
	var there []wire.Vote
	for _, v := range w.seen {
		if v.LayerID == layer {
			there = append(there, v)
		}
	}
	if len(there) > 0 && rapid.IntRange(0, 4).Draw(t, "known") > 0 {
		v := rapid.SampledFrom(there).Draw(t, "block")
		if rapid.IntRange(0, 9).Draw(t, "lift") == 0 {
			v.Height++
		}
		return v
	}
	return wire.Vote{ID: w.id20(), LayerID: layer, Height: uint64(rapid.IntRange(90, 210).Draw(t, "height"))}
}

// votes are a random difference to a random base.
func (w *wild) votes(t *rapid.T, layer wire.LayerID) (*plainBallot, wire.Votes) {
	candidates := []*plainBallot{}
	for _, b := range w.plain {
		if b.layer < layer {
			candidates = append(candidates, b)
		}
	}
	base := w.known[wire.BallotID{}]
	if len(candidates) > 0 && rapid.IntRange(0, 9).Draw(t, "genesis") > 0 {
		// Mostly a recent one.
		back := min(len(candidates), 1<<rapid.IntRange(0, 8).Draw(t, "back"))
		base = rapid.SampledFrom(candidates[len(candidates)-back:]).Draw(t, "base")
	}
	votes := wire.Votes{Base: base.id}
	low := w.params.EffectiveGenesis
	if rapid.Bool().Draw(t, "shallow") && layer > low+4 {
		low = layer - 3
	}
	at := rapid.IntRange(int(low), int(layer)-1)
	for range rapid.IntRange(0, 3).Draw(t, "supports") {
		votes.Support = append(votes.Support, w.block(t, wire.LayerID(at.Draw(t, "layer"))))
	}
	for range rapid.IntRange(0, 2).Draw(t, "againsts") {
		l := wire.LayerID(at.Draw(t, "layer"))
		if vote := base.votes[l]; len(vote.support) > 0 && rapid.IntRange(0, 4).Draw(t, "held") > 0 {
			votes.Against = append(votes.Against, vote.support[0])
		} else {
			votes.Against = append(votes.Against, w.block(t, l))
		}
	}
	for range rapid.IntRange(0, 1).Draw(t, "abstains") {
		votes.Abstain = append(votes.Abstain, wire.LayerID(at.Draw(t, "layer")))
	}
	return base, votes
}

// vote sends one ballot and compares what becomes of it with the plain rules.
func (w *wild) vote(t *rapid.T, layer wire.LayerID) {
	base, votes := w.votes(t, layer)
	plain, rule := plainDecode(base, &votes, layer)
	m := &w.smeshers[rapid.IntRange(0, len(w.smeshers)-1).Draw(t, "smesher")]
	hadRef := w.refs[m.node]
	b := w.ballot(layer, m, &wire.Opinion{Hash: plainHash(plain), Votes: votes})
	known := false
	if l := w.t.layers.get(layer); l != nil && rule == "" {
		known = l.knownOpinion(b.Opinion) != nil
	}
	d, err := w.t.Decode(b)
	low := base.layer
	for _, v := range append(slices.Clone(votes.Support), votes.Against...) {
		low = min(low, v.LayerID)
	}
	for _, l := range votes.Abstain {
		low = min(low, l)
	}
	switch {
	case !w.t.Knows(base.id) && base.id != wire.BallotID{}:
		require.Equal(t, RuleBaseMissing, Rule(class(err)))
	case rule == "" && !known && low <= w.t.evicted:
		require.Equal(t, RuleOutsideWindow, Rule(class(err)))
	case rule != "":
		require.Error(t, err)
	default:
		require.NoError(t, err)
	}
	if err != nil {
		if w.refs[m.node] = hadRef; hadRef == (wire.BallotID{}) {
			delete(w.refs, m.node)
		}
		return
	}
	require.NoError(t, w.t.Store(d, false))
	w.seen = append(append(w.seen, votes.Support...), votes.Against...)
	// A layer's ballots with one opinion hash share what the first of them meant,
	// even where "abstain" with supported blocks hashes like a vote for these.
	for _, earlier := range w.plain {
		if earlier.layer == layer && plainHash(earlier.votes) == b.Opinion {
			plain = earlier.votes
			break
		}
	}
	stored := &plainBallot{id: b.ID, layer: layer, votes: plain, height: d.ballot.ref.height, weight: d.Weight()}
	w.plain = append(w.plain, stored)
	w.known[b.ID] = stored
}

// TestVotesAgreeWithPlainRules lets ballots vote at random and compares opinions
// and margins with an implementation that shares nothing and counts one by one.
func TestVotesAgreeWithPlainRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := small8()
		// Votes alone decide nothing here, so that full counting starts at the end.
		p.Hdist, p.Window = 200, 200
		p.LayersPerEpoch = uint32(rapid.SampledFrom([]int{4, 64}).Draw(t, "epoch"))
		p.EffectiveGenesis = wire.LayerID(2*p.LayersPerEpoch - 1)
		w := newWild(p, int64(rapid.IntRange(0, 1000).Draw(t, "seed")))
		end := p.EffectiveGenesis + wire.LayerID(rapid.IntRange(2, 80).Draw(t, "layers"))
		for layer := p.EffectiveGenesis + 1; layer <= end; layer++ {
			w.play(t, layer)
		}
		require.Equal(t, Verifying, w.t.mode)
		for _, b := range w.plain {
			require.Equal(t, plainHash(b.votes), w.t.ballots[b.id].opinion.hash)
			for l, vote := range b.votes {
				got := w.t.ballots[b.id].opinion.vote(l)
				require.Equal(t, vote.abstain, got.abstain)
				require.Len(t, got.support, len(vote.support))
				require.Equal(t, vote.abstain, w.t.ballots[b.id].opinion.abstainsOn(l))
			}
		}
		w.t.becomeFull()
		for _, l := range w.t.layers.row {
			var known []wire.Vote
			for _, b := range l.blocks {
				known = append(known, b.header())
			}
			for _, b := range l.blocks {
				header := b.header()
				require.Equal(t, text(plainMargin(w.plain, l.id, &header, known)), text(b.margin))
			}
			require.Equal(t, text(plainMargin(w.plain, l.id, nil, known)), text(l.emptyMargin))
		}
	})
}

// play is one layer with random ballots.
func (w *wild) play(t *rapid.T, layer wire.LayerID) {
	if layer.FirstInEpoch(w.params.LayersPerEpoch) {
		w.openEpoch(layer.Epoch(w.params.LayersPerEpoch))
	}
	for range rapid.IntRange(1, 3).Draw(t, "ballots") {
		w.vote(t, layer)
	}
	w.follow(layer)
}

// TestWildNetworkKeepsItsInvariants mixes random ballots into an honest network
// that evicts, changes mode and loses hare outputs, and restarts it now and then.
func TestWildNetworkKeepsItsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := small8()
		p.Window = uint32(rapid.IntRange(6, 90).Draw(t, "window"))
		w := newWild(p, int64(rapid.IntRange(0, 1000).Draw(t, "seed")))
		w.perLayer = rapid.IntRange(1, 12).Draw(t, "honest")
		for layer := p.EffectiveGenesis + 1; layer < p.EffectiveGenesis+100; layer++ {
			before := w.t.Status()
			if layer.FirstInEpoch(p.LayersPerEpoch) {
				w.openEpoch(layer.Epoch(p.LayersPerEpoch))
			}
			w.mixed(t, layer)
			w.check(t, before)
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				snapshot := w.t.AppendSnapshot(nil)
				restored, err := fromSnapshot(w.params, w.index, snapshot)
				require.NoError(t, err)
				require.Equal(t, snapshot, restored.AppendSnapshot(nil))
				w.t = restored
			}
		}
	})
}

func (w *wild) mixed(t *rapid.T, layer wire.LayerID) {
	if opinion, err := w.t.EncodeVotes(layer); err == nil {
		base := w.known[opinion.Votes.Base]
		for range w.perLayer {
			m := &w.smeshers[w.rng.Intn(len(w.smeshers))]
			b := w.ballot(layer, m, opinion)
			// What the node itself encodes, every node decodes.
			require.NoError(t, w.t.OnBallot(b))
			if base == nil {
				continue
			}
			votes, rule := plainDecode(base, &opinion.Votes, layer)
			require.Empty(t, rule)
			w.known[b.ID] = &plainBallot{id: b.ID, layer: layer, votes: votes}
			w.plain = append(w.plain, w.known[b.ID])
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "wild") {
		w.vote(t, layer)
	}
	header := wire.Vote{ID: w.id20(), LayerID: layer, Height: 95}
	w.t.OnBlock(header)
	if rapid.IntRange(0, 5).Draw(t, "hare") > 0 {
		w.t.OnHareOutput(layer, header.ID)
	}
	w.t.OnWeakCoin(layer, rapid.Bool().Draw(t, "coin"))
	w.follow(layer)
}

func (w *wild) check(t *rapid.T, before Status) {
	s := w.t.Status()
	require.GreaterOrEqual(t, s.Evicted, before.Evicted)
	require.GreaterOrEqual(t, s.Processed, before.Processed)
	require.Equal(t, s.Last, s.Processed)
	require.GreaterOrEqual(t, s.Verified, s.Evicted)
	require.LessOrEqual(t, s.Verified, s.Processed)
	require.Equal(t, s.Evicted+1, w.t.layers.first)
	stored := 0
	for _, l := range w.t.layers.row {
		stored += len(l.ballots)
		require.True(t, slices.IsSortedFunc(l.blocks, compareBlocks))
		require.Equal(t, l.opinion, w.t.localOpinion(l), "layer %d", l.id)
	}
	require.Len(t, w.t.ballots, stored)
	for run := range w.t.kept {
		require.Greater(t, run+segmentSize, s.Evicted)
	}
}
