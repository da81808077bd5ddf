package atx

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Marriages are permanent: rows are never taken back, only sets joined, and
// whoever stands together in an ATX ends up in one set.
func TestMarriagesOnlyJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMemState()
		for n := range rapid.IntRange(1, 12).Draw(t, "atxs") {
			spouses := rapid.SliceOfNDistinct(rapid.ByteRange(1, 12), 1, 5, rapid.ID[byte]).Draw(t, "spouses")
			ids := make([]wire.NodeID, len(spouses))
			for i, b := range spouses {
				ids[i] = wire.NodeID{b}
			}
			before := slices.Clone(s.marriages)
			m := &Message{ID: wire.ATXID{byte(n + 1)}, V2: &wire.ActivationTxV2{
				SmesherID: ids[0], Marriages: make([]wire.MarriageCertificate, len(ids)),
			}}
			change, err := Marry(s, m, ids)
			if err != nil {
				t.Fatal(err)
			}
			s.marry(change)
			checkJoined(t, s, before, ids)
		}
	})
}

func checkJoined(t *rapid.T, s *memState, before []Marriage, ids []wire.NodeID) {
	sets := map[MarriageID]MarriageID{}
	for i, old := range before {
		now := s.marriages[i]
		if now.NodeID != old.NodeID || now.ATX != old.ATX || now.Index != old.Index || now.ID > old.ID {
			t.Fatalf("%v became %v", old, now)
		}
		if became, ok := sets[old.ID]; ok && became != now.ID {
			t.Fatalf("set %d was torn apart", old.ID)
		}
		sets[old.ID] = now.ID
	}
	first, _, _ := s.Marriage(ids[0])
	for _, id := range ids {
		if m, ok, _ := s.Marriage(id); !ok || m.ID != first.ID {
			t.Fatalf("%v is not in the set", id)
		}
	}
}

func anyCalendar(t *rapid.T) Calendar {
	layers := rapid.Uint32Range(2, 50).Draw(t, "layers")
	epoch := time.Duration(layers) * time.Minute
	shift := time.Duration(rapid.Int64Range(int64(time.Second), int64(epoch)-1).Draw(t, "shift"))
	return Calendar{
		Clock:          layerclock.Clock{Genesis: time.Unix(1000, 0), LayerDuration: time.Minute},
		LayersPerEpoch: layers,
		Poet: network.PoetParams{
			PhaseShift:  shift,
			CycleGap:    time.Duration(rapid.Int64Range(1, int64(shift)).Draw(t, "gap")),
			GracePeriod: time.Duration(rapid.Int64Range(1, int64(shift)).Draw(t, "grace")),
		},
	}
}

// A plan is always for a round that still takes registrations, and to wait
// leads to the same plan.
func TestPlansAreInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCalendar(t)
		now := c.Clock.Genesis.Add(time.Duration(rapid.Int64Range(0, int64(200*time.Hour)).Draw(t, "now")))
		var previous *wire.EpochID
		if rapid.Bool().Draw(t, "chained") {
			e := wire.EpochID(rapid.Uint32Max(uint32(c.EpochAt(now))+1).Draw(t, "previous"))
			previous = &e
		}
		plan := c.PlanChallenge(now, previous)
		switch {
		case !now.Before(c.RoundStart(plan.Publish)):
			t.Fatal("round has begun")
		case previous != nil && plan.Publish <= *previous:
			t.Fatal("not after the previous atx")
		case plan.Wait != now.Before(plan.WaitUntil):
			t.Fatal("wait")
		}
		if plan.Wait {
			again := c.PlanChallenge(plan.WaitUntil, previous)
			if again.Wait || again.Publish != plan.Publish {
				t.Fatalf("after waiting: %+v, not %+v", again, plan)
			}
		}
	})
}

// An identity whose PoETs answer always comes to an end: a NIPoST, or one of
// the three reasons for none.
func TestStepsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCalendar(t)
		publish := wire.EpochID(rapid.Uint32Range(1, 5).Draw(t, "publish"))
		now := c.EpochStart(publish - 1).Add(time.Duration(rapid.Int64Range(0, int64(4*time.Hour)).Draw(t, "now")))
		all := []string{"a", "b", "c"}
		configured := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 3, rapid.ID[string]).Draw(t, "configured")
		p := Progress{
			Registered:  rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 3, rapid.ID[string]).Draw(t, "registered"),
			ProofChosen: rapid.Bool().Draw(t, "chosen"),
		}
		for range 4 {
			step, err := c.NextStep(publish, now, configured, p)
			switch {
			case err != nil:
				return
			case step.Register != nil:
				if now.After(step.Abort) {
					t.Fatal("registers too late")
				}
				p.Tried = true
				p.Registered = append(p.Registered, step.Register...)
			case step.Fetch != nil:
				p.ProofChosen = true
			case step.Prove:
				p.PostDone = true
			default:
				if !p.PostDone {
					t.Fatal("ends without a proof")
				}
				return
			}
		}
		t.Fatal("does not end")
	})
}

// Ranked candidates are honest and fall in height.
func TestRankIsHonestAndFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in []Candidate
		honest := 0
		for i := range rapid.IntRange(0, 20).Draw(t, "n") {
			c := Candidate{wire.ATXID{byte(i)}, rapid.Uint64Max(5).Draw(t, "height"), rapid.Bool().Draw(t, "malicious")}
			if !c.Malicious {
				honest++
			}
			in = append(in, c)
		}
		out := RankCandidates(in)
		if len(out) != honest {
			t.Fatal("count")
		}
		for i := range out {
			if out[i].Malicious || i > 0 && out[i].Height > out[i-1].Height {
				t.Fatal("order")
			}
		}
	})
}
