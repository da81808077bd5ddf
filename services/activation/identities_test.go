package activation

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/records"
)

// noSpace never has data.
type noSpace struct{}

func (noSpace) Info(context.Context, wire.NodeID) (SpaceInfo, bool, error) {
	return SpaceInfo{}, false, nil
}

func (noSpace) Initialize(context.Context, SpaceSetup) (SpaceInfo, error) {
	return SpaceInfo{}, errors.New("no disk")
}

func (noSpace) Prove(context.Context, wire.NodeID, wire.Hash32, time.Time) (SpaceProof, error) {
	return SpaceProof{}, errors.New("no disk")
}

// holdings counts what processes hold.
func (w *world) holdings(t testing.TB) map[string]int {
	held, err := read.Holders(t.Context(), w.db)
	require.NoError(t, err)
	out := make(map[string]int)
	for _, h := range held {
		out[h.Holder]++
	}
	return out
}

// beside starts another process with the same identities.
func (w *world) beside(t testing.TB, holder string) (stop func()) {
	cfg, deps := w.cfg, w.deps
	cfg.Holder = holder
	deps.Registry, deps.Bus = prometheus.NewRegistry(), connect(t, w.server, bus.ActivationService)
	s, err := New(cfg, deps)
	require.NoError(t, err)
	other := &world{Service: s}
	other.run(t)
	return other.stop
}

func TestProcessesShareIdentities(t *testing.T) {
	dir, _ := identities(t, 20)
	w := start(t, network.Fastnet(), func(s *setup) {
		s.config.Identities, s.config.LeaseTTL, s.deps.Space = dir, time.Second, noSpace{}
	})
	own := w.cfg.Holder
	require.Equal(t, map[string]int{own: 20}, w.holdings(t), "at once, because nobody else is there")
	stop := w.beside(t, "other")
	require.Eventually(t, func() bool {
		h := w.holdings(t)
		return h[own] > 0 && h["other"] > 0 && h[own]+h["other"] == 20
	}, 20*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		list, err := bus.ListIdentities("other").Call(t.Context(), w.gossip, bus.None{})
		require.NoError(t, err)
		require.Len(t, list.Identities, 20)
		held := 0
		for _, i := range list.Identities {
			if i.Held {
				held++
				require.Contains(t, []string{"", string(read.StepWaitData)}, i.Step)
			}
		}
		return held == w.holdings(t)["other"]
	}, 20*time.Second, 10*time.Millisecond)
	// One that is gone without a word is followed within two TTLs.
	stop()
	_, err := w.db.Exec(t.Context(), "INSERT INTO members SELECT 'gone', (SELECT identities FROM members LIMIT 1), clock_timestamp() + interval '1 s'")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return w.holdings(t)[own] < 20 }, 20*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return w.holdings(t)[own] == 20 }, 20*time.Second, 10*time.Millisecond)
}

func TestIdentitiesComeAndGo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), keyfile.Dir)
	params := network.Fastnet()
	w := start(t, params, func(s *setup) { s.config.Identities, s.deps.Space = dir, noSpace{} })
	holder := w.cfg.Holder
	add := func(name string, create bool) (bus.IdentityReply, error) {
		return bus.AddIdentity(holder).Call(t.Context(), w.gossip, bus.AddIdentityRequest{Name: name, Create: create})
	}
	for _, bad := range []string{"", ".key", "a", "../a.key", "x/y.key"} {
		_, err := add(bad, true)
		require.ErrorIs(t, err, bus.BadRequest, bad)
	}
	_, err := add("a.key", false)
	require.ErrorIs(t, err, bus.BadRequest)
	made, err := add("a.key", true)
	require.NoError(t, err)
	_, err = add("a.key", true)
	require.ErrorIs(t, err, bus.BadRequest)
	_, err = add(keyfile.LocalName, true)
	require.ErrorContains(t, err, "rename it")
	same, err := add("a.key", false)
	require.NoError(t, err)
	require.Equal(t, made, same)
	require.NoError(t, os.Chmod(filepath.Join(dir, "a.key"), 0o644))
	_, err = add("a.key", false)
	require.ErrorContains(t, err, "chmod 600")
	require.NoError(t, os.Chmod(filepath.Join(dir, "a.key"), 0o600))

	ballot := func(layer wire.LayerID, what byte) bus.SignResult {
		body := codec.MustEncode(&wire.BallotMetadata{Layer: layer, MsgHash: wire.Hash32{what}})
		r, err := bus.Sign(holder).Call(t.Context(), w.gossip, bus.SignRequest{Items: []bus.SignItem{
			{NodeID: made.Node, Domain: uint8(signing.Ballot), Body: body},
		}})
		require.NoError(t, err)
		return r.Results[0]
	}
	require.Equal(t, bus.Signed, ballot(5, 1).Outcome)

	doc, err := bus.ExportIdentity(holder).Call(t.Context(), w.gossip, bus.ExportIdentityRequest(made))
	require.NoError(t, err)
	require.NotEqual(t, bus.Signed, ballot(5, 1).Outcome, "it lives elsewhere now")
	require.NotEqual(t, bus.Signed, ballot(6, 1).Outcome)
	require.Empty(t, w.holdings(t))
	list, err := bus.ListIdentities(holder).Call(t.Context(), w.gossip, bus.None{})
	require.NoError(t, err)
	require.True(t, list.Identities[0].Retired)

	for _, bad := range []string{"", "{}", `{"version":1,"network":"00"}`} {
		_, err = bus.ImportIdentity(holder).Call(t.Context(), w.gossip, bus.IdentityDocument{Document: []byte(bad)})
		require.ErrorIs(t, err, bus.BadRequest)
	}
	// Elsewhere it signed in another layer, and what it signs in epochs is open.
	var grown records.Document
	require.NoError(t, json.Unmarshal(doc.Document, &grown))
	require.Len(t, grown.Signed, 1)
	grown.Signed = append(grown.Signed, records.Slot{Kind: "ballot", Major: 6, Hash: wire.Hash32{1}},
		records.Slot{Kind: "ballot", Major: 5, Hash: wire.Hash32{2}})
	grown.Quarantine = append(grown.Quarantine, records.Quarantined{Kind: "ballot", Through: 4, Reason: "restored"})
	raw, err := json.Marshal(&grown)
	require.NoError(t, err)
	back, err := bus.ImportIdentity(holder).Call(t.Context(), w.gossip, bus.IdentityDocument{Document: raw})
	require.NoError(t, err)
	require.Equal(t, made, back)
	require.Equal(t, map[string]int{holder: 1}, w.holdings(t))
	require.Equal(t, bus.Signed, ballot(5, 1).Outcome, "the same bytes")
	require.Equal(t, bus.SignRefused, ballot(5, 2).Outcome)
	require.Equal(t, bus.SignRefused, ballot(6, 1).Outcome)
	require.Equal(t, bus.SignRefused, ballot(4, 1).Outcome)
	require.Equal(t, bus.Signed, ballot(7, 1).Outcome)
}

type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

func TestNothingThatARestoreMayHaveLostIsSigned(t *testing.T) {
	dir, keys := identities(t, 2)
	params := network.Fastnet()
	w := start(t, params, func(s *setup) { s.config.Identities = dir })
	ballot := func(id wire.NodeID, layer wire.LayerID) bus.SignOutcome {
		body := codec.MustEncode(&wire.BallotMetadata{Layer: layer})
		r, err := bus.Sign(w.cfg.Holder).Call(t.Context(), w.gossip, bus.SignRequest{Items: []bus.SignItem{
			{NodeID: id, Domain: uint8(signing.Ballot), Body: body},
		}})
		require.NoError(t, err)
		return r.Results[0].Outcome
	}
	at := func(layer wire.LayerID) fixedClock {
		return fixedClock(params.Genesis.Time.Add(time.Duration(layer)*params.LayerDuration + params.LayerDuration/2))
	}
	now := 3*wire.LayerID(params.LayersPerEpoch) + 1
	for _, moved := range []wire.LayerID{now, now - 9, 0} { // a clock that was set back takes nothing back
		_, _, err := QuarantineRestored(t.Context(), w.db, &params, at(moved), "restored")
		require.NoError(t, err)
		for _, k := range keys {
			require.Equal(t, bus.SignRefused, ballot(k.NodeID(), now))
			require.Equal(t, bus.SignRefused, ballot(k.NodeID(), now+1), "another machine's clock was ahead")
			require.Equal(t, bus.Signed, ballot(k.NodeID(), now+2))
		}
	}
	layer, epoch, err := QuarantineRestored(t.Context(), w.db, &params, fixedClock(params.Genesis.Time.Add(-time.Hour)), "before genesis")
	require.NoError(t, err)
	require.Equal(t, wire.LayerID(1), layer)
	require.Equal(t, wire.EpochID(1), epoch)
}

func TestSmeshingIsStoppedAndStarted(t *testing.T) {
	dir, _ := identities(t, 1)
	w := start(t, network.Fastnet(), func(s *setup) { s.config.Identities, s.deps.Space = dir, noSpace{} })
	ask := func(r bus.SmeshingRequest) bus.SmeshingReply {
		reply, err := bus.Smeshing(w.cfg.Holder).Call(t.Context(), w.gossip, r)
		require.NoError(t, err)
		return reply
	}
	require.Equal(t, bus.SmeshingReply{Smeshing: true}, ask(bus.SmeshingRequest{}))
	off, to := false, wire.Address{7}
	require.Equal(t, bus.SmeshingReply{Coinbase: to}, ask(bus.SmeshingRequest{Smeshing: &off, Coinbase: &to}))
	require.Equal(t, bus.SmeshingReply{Coinbase: to}, ask(bus.SmeshingRequest{}))
}
