package atx

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/atxtest"
	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorWeight(t *testing.T) {
	type weightCase struct {
		NiPosts []struct {
			Units uint32         `json:"units"`
			Ticks vectors.Uint64 `json:"ticks"`
		} `json:"niposts"`
		A, B   *uint32
		Result uint32         `json:"result"`
		Error  bool           `json:"error"`
		Units  uint32         `json:"units"`
		Weight vectors.Uint64 `json:"weight"`
		Ticks  vectors.Uint64 `json:"ticks"`
	}
	r := &Rules{Params: Params{TickSize: 1}}
	vectors.Run(t, "activation/weight", func(t *testing.T, c weightCase) {
		if c.A != nil {
			require.Equal(t, c.Result, poet.SumUnits([]uint32{*c.A, *c.B}))
			require.Equal(t, c.Error, uint64(*c.A)+uint64(*c.B) > 1<<32-1)
			return
		}
		var posts []poet.PostUnits
		for _, n := range c.NiPosts {
			posts = append(posts, poet.PostUnits{Units: n.Units, Leaves: uint64(n.Ticks)})
		}
		var row Row
		err := r.weigh(&row, posts)
		if c.Error {
			require.Equal(t, RuleWeight, RuleOf(err))
			return
		}
		require.NoError(t, err)
		require.Equal(t, Row{EffectiveUnits: c.Units, Weight: uint64(c.Weight), Ticks: uint64(c.Ticks)}, row)
	})
}

func TestVectorDifficulty(t *testing.T) {
	type difficultyCase struct {
		Units         uint32         `json:"num_units"`
		PerUnit       vectors.Uint64 `json:"labels_per_unit"`
		Difficulty    vectors.Hex    `json:"difficulty"`
		Representable bool           `json:"representable"`
	}
	vectors.Run(t, "activation/vrf_difficulty", func(t *testing.T, c difficultyCase) {
		threshold, ok := NonceThreshold(c.Units, uint64(c.PerUnit))
		require.Equal(t, c.Representable, ok)
		if ok {
			require.Equal(t, []byte(c.Difficulty), threshold[:])
		}
	})
}

func TestVectorVersions(t *testing.T) {
	type versionCase struct {
		Versions map[string]uint8       `json:"atx_versions"`
		Valid    bool                   `json:"config_valid"`
		At       map[wire.EpochID]uint8 `json:"version_by_publish_epoch"`
	}
	vectors.Run(t, "activation/version_routing", func(t *testing.T, c versionCase) {
		v := Versions(atxtest.Versions(t, c.Versions))
		require.Equal(t, c.Valid, v.Validate() == nil)
		p := network.Params{ATXVersions: v}
		for epoch, want := range c.At {
			require.Equal(t, want, v.At(epoch))
			require.Equal(t, want, p.ATXVersionAt(epoch))
		}
	})
}

type networkJSON struct {
	CycleGap   vectors.Uint64 `json:"cycle_gap_s"`
	Grace      vectors.Uint64 `json:"grace_period_s"`
	Layer      vectors.Uint64 `json:"layer_duration_s"`
	PerEpoch   uint32         `json:"layers_per_epoch"`
	PhaseShift vectors.Uint64 `json:"phase_shift_s"`
}

func seconds(s vectors.Uint64) time.Duration { return time.Duration(s) * time.Second }

// calendars are those of a vector file's networks.
func calendars(t *testing.T, file string) map[string]Calendar {
	var head struct {
		Networks map[string]networkJSON `json:"networks"`
	}
	vectors.Load(t, file, &head)
	out := map[string]Calendar{}
	for name, n := range head.Networks {
		out[name] = Calendar{
			Clock:          layerclock.Clock{Genesis: time.Unix(0, 0), LayerDuration: seconds(n.Layer)},
			LayersPerEpoch: n.PerEpoch,
			Poet: network.PoetParams{
				PhaseShift: seconds(n.PhaseShift), CycleGap: seconds(n.CycleGap), GracePeriod: seconds(n.Grace),
			},
		}
	}
	return out
}

func TestVectorChallengeTiming(t *testing.T) {
	type timingCase struct {
		Name         string          `json:"name"`
		Current      wire.EpochID    `json:"current_epoch"`
		Offset       vectors.Uint64  `json:"offset_in_epoch_s"`
		Previous     *wire.EpochID   `json:"previous_atx_publish_epoch"`
		Publish      wire.EpochID    `json:"publish_epoch"`
		Registration wire.EpochID    `json:"registration_epoch"`
		Until        vectors.Uint64  `json:"wait_until_s_since_genesis"`
		Waits        bool            `json:"waits"`
		Sequence     *vectors.Uint64 `json:"sequence"`
	}
	networks := calendars(t, "activation/challenge_timing")
	vectors.Run(t, "activation/challenge_timing", func(t *testing.T, c timingCase) {
		calendar, ok := networks[c.Name]
		require.True(t, ok)
		plan := calendar.PlanChallenge(calendar.EpochStart(c.Current).Add(seconds(c.Offset)), c.Previous)
		require.Equal(t, c.Waits, plan.Wait)
		require.Equal(t, c.Publish, plan.Publish)
		if c.Waits {
			require.Equal(t, c.Registration, plan.Registration)
			require.Equal(t, int64(c.Until), plan.WaitUntil.Unix())
		}
		if c.Sequence != nil {
			var previous *Row
			if c.Previous != nil {
				previous = &Row{Sequence: 5}
			}
			require.Equal(t, uint64(*c.Sequence), NextSequence(previous))
		}
	})
}

type nipostCase struct {
	Network      string                    `json:"network"`
	Publish      wire.EpochID              `json:"publish_epoch"`
	Now          vectors.Uint64            `json:"now_s_since_genesis"`
	Before       string                    `json:"registrations_before"`
	Down         bool                      `json:"poets_down"`
	Chosen       bool                      `json:"poet_proof_chosen"`
	Done         bool                      `json:"post_done"`
	Leaves       map[string]vectors.Uint64 `json:"leaf_counts"`
	Result       string                    `json:"result"`
	Submitted    int                       `json:"submitted"`
	After        int                       `json:"registrations_after"`
	Deadline     *vectors.Uint64           `json:"submit_deadline_field_s_since_genesis"`
	SubmitAbort  *vectors.Uint64           `json:"submit_abort_s_since_genesis"`
	PostAbort    *vectors.Uint64           `json:"post_abort_s_since_genesis"`
	ChosenPoet   string                    `json:"chosen_poet"`
	seenDeadline *vectors.Uint64
	seenSubmit   *vectors.Uint64
	seenPost     *vectors.Uint64
	submitted    int
	chosenPoet   string
}

func unix(t time.Time) *vectors.Uint64 {
	s := vectors.Uint64(t.Unix())
	return &s
}

// run walks the steps of one identity while the clock stands still.
func (c *nipostCase) run(calendar Calendar) (p Progress, err error) {
	const a, b, foreign = "http://a", "http://b", "http://c"
	p = Progress{ProofChosen: c.Chosen, PostDone: c.Done}
	p.Registered = map[string][]string{"some": {a}, "all": {a, b}, "foreign": {foreign}}[c.Before]
	now := time.Unix(int64(c.Now), 0)
	for {
		step, err := calendar.NextStep(c.Publish, now, []string{a, b}, p)
		switch {
		case err != nil:
			return p, err
		case step.Register != nil:
			p.Tried, c.submitted = true, c.submitted+len(step.Register)
			c.seenDeadline, c.seenSubmit = unix(step.Deadline), unix(step.Abort)
			if !c.Down {
				p.Registered = append(p.Registered, step.Register...)
			}
		case step.Fetch != nil:
			var fetched []FetchedProof
			for _, poet := range step.Fetch {
				fetched = append(fetched, FetchedProof{poet, uint64(c.Leaves[poet])})
			}
			best, err := BestProof(fetched)
			if err != nil {
				return p, err
			}
			c.chosenPoet, p.ProofChosen = best.Poet, true
		case step.Prove:
			c.seenPost, p.PostDone = unix(step.Abort), true
		default:
			return p, nil
		}
	}
}

func TestVectorNIPostTiming(t *testing.T) {
	networks := calendars(t, "activation/nipost_timing")
	results := map[string]error{
		"ok": nil, "challenge_expired": ErrChallengeExpired, "poet_unstable": ErrPoetUnstable,
		"poet_registration_mismatch": ErrPoetMismatch,
	}
	vectors.Run(t, "activation/nipost_timing", func(t *testing.T, c nipostCase) {
		calendar, ok := networks[c.Network]
		require.True(t, ok)
		want, ok := results[c.Result]
		require.True(t, ok, c.Result)
		p, err := c.run(calendar)
		require.Equal(t, want, err)
		require.Equal(t, c.Submitted, c.submitted)
		require.Len(t, p.Registered, c.After)
		require.Equal(t, c.Deadline, c.seenDeadline)
		require.Equal(t, c.SubmitAbort, c.seenSubmit)
		require.Equal(t, c.PostAbort, c.seenPost)
		require.Equal(t, c.ChosenPoet, c.chosenPoet)
	})
}

func TestVectorPositioning(t *testing.T) {
	type positioningCase struct {
		Golden   vectors.Hex   `json:"golden_atx"`
		Publish  wire.EpochID  `json:"publish_epoch"`
		Previous *vectors.Hex  `json:"previous_atx"`
		Selected vectors.Hex   `json:"selected"`
		Verified []vectors.Hex `json:"verified_in_order"`
		ATXs     []struct {
			ID        vectors.Hex    `json:"id"`
			Publish   wire.EpochID   `json:"publish_epoch"`
			Base      vectors.Uint64 `json:"base_tick_height"`
			Ticks     vectors.Uint64 `json:"tick_count"`
			Malicious bool           `json:"malicious"`
			Valid     bool           `json:"chain_valid"`
		} `json:"atxs"`
	}
	// Where the previous ATX was raised in the store after it was cached, its
	// base height is this, and what the cache held is not told.
	const raised = 500
	vectors.Run(t, "activation/positioning_atx", func(t *testing.T, c positioningCase) {
		previousID := atxtest.ID(c.Previous)
		var newest wire.EpochID
		for _, a := range c.ATXs {
			newest = max(newest, a.Publish)
		}
		in := CandidateEpoch(newest, c.Publish)
		search := func(cachedBase uint64) (wire.ATXID, []vectors.Hex) {
			valid := map[wire.ATXID]bool{}
			var candidates []Candidate
			var previous *Row
			for _, a := range c.ATXs {
				row := Row{ID: wire.ATXID(a.ID), BaseHeight: uint64(a.Base), Ticks: uint64(a.Ticks)}
				valid[row.ID] = a.Valid
				cached := row
				if previousID != nil && row.ID == *previousID {
					previous = &row
					if row.BaseHeight == raised {
						cached.BaseHeight = cachedBase
					}
				}
				if a.Publish == in {
					candidates = append(candidates, Candidate{row.ID, cached.Height(), a.Malicious})
				}
			}
			var verified []vectors.Hex
			found := FindCandidate(RankCandidates(candidates), func(id wire.ATXID) (bool, error) {
				verified = append(verified, id[:])
				return valid[id], nil
			})
			return ChoosePositioning(wire.ATXID(c.Golden), found, previous), verified
		}
		var selected wire.ATXID
		var verified []vectors.Hex
		for base := range uint64(raised) {
			if selected, verified = search(base); slices.EqualFunc(verified, c.Verified, func(a, b vectors.Hex) bool { return bytes.Equal(a, b) }) {
				break
			}
		}
		require.Equal(t, c.Verified, verified)
		require.Equal(t, wire.ATXID(c.Selected), selected)
	})
}

func TestVectorEquivocationSets(t *testing.T) {
	type setCase struct {
		Malicious []vectors.Hex `json:"initially_malicious"`
		Marriages []struct {
			ID           vectors.Hex        `json:"atx_id"`
			Signer       vectors.Hex        `json:"signer"`
			Publish      wire.EpochID       `json:"publish_epoch"`
			Certificates []vectors.Hex      `json:"certificates"`
			After        []atxtest.Marriage `json:"marriages_after"`
			Malicious    []vectors.Hex      `json:"malicious_after"`
		} `json:"marriage_atxs"`
		Queries []struct {
			Smesher  vectors.Hex   `json:"smesher"`
			Marriage vectors.Hex   `json:"marriage_atx"`
			Publish  wire.EpochID  `json:"publish_epoch"`
			Set      []vectors.Hex `json:"set"`
			Error    string        `json:"error"`
		} `json:"queries"`
	}
	nodes := func(in []vectors.Hex) (out []wire.NodeID) {
		for _, id := range in {
			out = append(out, wire.NodeID(id))
		}
		return out
	}
	vectors.Run(t, "activation/equivocation_sets", func(t *testing.T, c setCase) {
		s := newMemState()
		s.maliciousV2 = nodes(c.Malicious)
		for _, a := range c.Marriages {
			m := &Message{ID: wire.ATXID(a.ID), V2: &wire.ActivationTxV2{
				SmesherID: wire.NodeID(a.Signer), Marriages: make([]wire.MarriageCertificate, len(a.Certificates)),
			}}
			change, err := Marry(s, m, nodes(a.Certificates))
			require.NoError(t, err)
			row := Row{ID: m.ID, NodeID: m.NodeID(), PublishEpoch: a.Publish}
			s.apply(&Effects{Row: &row, Marriage: change})
			require.Equal(t, a.After, marriageRows(s))
			require.ElementsMatch(t, nodes(a.Malicious), s.maliciousV2)
		}
		for _, q := range c.Queries {
			marriage := wire.ATXID(q.Marriage)
			set, err := EquivocationSet(s, &wire.ActivationTxV2{
				SmesherID: wire.NodeID(q.Smesher), PublishEpoch: q.Publish, MarriageATX: &marriage,
			})
			require.Equal(t, q.Error, string(RuleOf(err)))
			require.Equal(t, nodes(q.Set), set)
		}
	})
}
