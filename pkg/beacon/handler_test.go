package beacon

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorHandler(t *testing.T) {
	t.Run("beacon/handler.json", func(t *testing.T) {
		var file struct {
			Genesis    vectors.Hex      `json:"genesis_id"`
			Layers     uint32           `json:"layers_per_epoch"`
			Epoch      wire.EpochID     `json:"epoch"`
			Q          string           `json:"q"`
			Theta      string           `json:"theta"`
			VotesLimit int              `json:"votes_limit"`
			Kappa      uint64           `json:"kappa"`
			Grace      vectorDuration   `json:"grace_ns"`
			Identities []vectorIdentity `json:"identities"`
			Cases      []handlerStep    `json:"cases"`
		}
		vectors.Load(t, "beacon/handler", &file)
		require.NotEmpty(t, file.Cases)
		p := testParams(4, time.Duration(file.Grace))
		p.Kappa, p.Q, p.Theta = file.Kappa, ratOf(t, file.Q), ratOf(t, file.Theta)
		p.VotesLimit, p.LayersPerEpoch = file.VotesLimit, file.Layers
		state, keys := populate(file.Genesis, p, file.Epoch, file.Identities)
		start := p.epochStart(file.Epoch)
		protocol, _ := New(start.Add(-time.Second), p, state, keys)
		protocol.SetSync(true, true)
		for i, step := range file.Cases {
			step.run(t, i, protocol, start)
		}
	})
}

type handlerStep struct {
	Name     string      `json:"name"`
	Topic    string      `json:"topic"`
	Message  vectors.Hex `json:"msg"`
	Decision string      `json:"decision"`

	Set      string `json:"set"`
	Round    uint32 `json:"round"`
	NextOpen bool   `json:"next_round_votes_open"`

	Dump      string                   `json:"dump"`
	Weight    vectors.Uint64           `json:"epoch_weight"`
	Valid     []vectors.Hex            `json:"valid"`
	Potential []vectors.Hex            `json:"potentially_valid"`
	Lists     map[string][]vectors.Hex `json:"first_round_lists"`
	Margins   [][2]string              `json:"margins"`
	Support   []vectors.Hex            `json:"support"`
	Against   []vectors.Hex            `json:"against"`
	Undecided []vectors.Hex            `json:"undecided"`
}

func (step *handlerStep) run(t *testing.T, i int, p *Protocol, start time.Time) {
	t.Helper()
	now := start.Add(time.Second)
	switch step.Set {
	case "protocol_running":
		_, err := p.Tick(start)
		require.NoError(t, err)
		require.Equal(t, Proposing, p.Phase())
		return
	case "proposal_phase_finished_30s_ago":
		p.running.phaseEnd = now.Add(-30 * time.Second)
		return
	case "round":
		p.round, p.nextVote = step.Round, now.Add(time.Hour)
		if step.NextOpen {
			p.nextVote = now.Add(-time.Second)
		}
		return
	case "protocol_stopped":
		p.becomeIdle()
		return
	}
	switch step.Dump {
	case "proposals":
		s := p.epochs[p.running.epoch]
		require.Equal(t, uint64(step.Weight), s.weight)
		require.Equal(t, proposals(step.Valid), s.valid.sorted())
		require.Equal(t, proposals(step.Potential), s.potential.sorted())
	case "votes":
		want, lists := map[string]string{}, map[string][]Proposal{}
		for _, m := range step.Margins {
			want[m[0]] = m[1]
		}
		require.Equal(t, want, dumpMargins(p.running))
		for id, v := range p.running.voters {
			if v.listed {
				lists[hex.EncodeToString(id[:])] = v.first
			}
		}
		require.Len(t, lists, len(step.Lists))
		for id, list := range step.Lists {
			require.Equal(t, proposals(list), lists[id])
		}
	case "tally":
		want := Opinion{proposals(step.Support), proposals(step.Against), proposals(step.Undecided)}
		require.Equal(t, want, p.running.tally(p.params.Theta))
	default:
		require.NotEmpty(t, step.Topic, "step %d", i)
		out, _ := p.Handle(now, step.Topic, step.Message)
		require.Equal(t, step.Decision, out.Verdict.String(), "step %d %s: %v", i, step.Name, out.Err)
		require.Equal(t, out.Verdict == Accept, out.Err == nil, "step %d %s", i, step.Name)
	}
}

func TestVectorBallotSync(t *testing.T) {
	vectors.Run(t, "beacon/ballot_sync", func(t *testing.T, c struct {
		MinUnits int         `json:"min_units"`
		Beacon   vectors.Hex `json:"beacon"`
		Totals   [][3]any    `json:"totals"`
		Reports  []struct {
			Weight        vectors.Uint64 `json:"atx_weight"`
			Ballot        vectors.Hex    `json:"ballot"`
			Beacon        vectors.Hex    `json:"beacon"`
			Eligibilities uint32         `json:"epoch_eligibilities"`
			Proofs        uint32         `json:"proofs"`
			Per           vectors.Hex    `json:"weight_per"`
		} `json:"reports"`
	},
	) {
		p := testParams(4, time.Second)
		p.WeightUnits = 1 << 30
		protocol, _ := New(p.epochStart(4), p, &chain{}, fakeKeys{})
		for _, r := range c.Reports {
			per := EligibilityWeight(uint64(r.Weight), r.Eligibilities)
			require.Equal(t, fixed.FromBytes([16]byte(r.Per)), per)
			effects, err := protocol.ReportBallot(4, BallotReport{
				Ballot: wire.BallotID(r.Ballot), Beacon: wire.Beacon(r.Beacon), Proofs: r.Proofs, Per: per,
			})
			require.NoError(t, err)
			require.Empty(t, effects.Persist)
		}
		tally := protocol.ballots[4]
		require.Len(t, tally.sides, len(c.Totals))
		for _, total := range c.Totals {
			for _, side := range tally.sides {
				if side.beacon.String() == total[0] {
					bytes := side.weight.Bytes()
					require.Equal(t, total[1], hex.EncodeToString(bytes[:]))
					require.Equal(t, total[2], float64(side.units))
				}
			}
		}
		beacon, ok := tally.choose(c.MinUnits)
		require.Equal(t, c.Beacon != nil, ok)
		if ok {
			require.Equal(t, wire.Beacon(c.Beacon), beacon)
		}
	})
}
