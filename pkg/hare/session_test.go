package hare_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

func ofNetwork(p network.Params, h network.HareParams, hare4 bool) hare.Params {
	return hare.Params{
		HareParams: h, Hare4: hare4, LayersPerEpoch: p.LayersPerEpoch,
		EffectiveGenesis: p.FirstEffectiveGenesis(), LayerDuration: p.LayerDuration, Zdist: p.Tortoise.Zdist,
	}
}

func TestPresetsCanStart(t *testing.T) {
	for _, p := range []network.Params{
		network.Mainnet(), network.Testnet(), network.Fastnet(), network.Standalone(),
	} {
		require.NoError(t, ofNetwork(p, p.Hare3, false).Validate())
		require.NoError(t, ofNetwork(p, p.Hare4, true).Validate())
	}
}

// The table of spec 05 §6.2 for mainnet.
func TestRoundStarts(t *testing.T) {
	p := ofNetwork(network.Mainnet(), network.Mainnet().Hare3, false)
	for at, seconds := range map[wire.IterRound]int{
		{}: 25, {Round: wire.Softlock}: 37, {Round: wire.Propose}: 49, {Round: wire.Wait1}: 61,
		{Round: wire.Wait2}: 73, {Round: wire.Commit}: 85, {Round: wire.Notify}: 97,
		{Iter: 1, Round: wire.Hardlock}: 109, {Iter: 2, Round: wire.Hardlock}: 193,
		{Iter: 4, Round: wire.Hardlock}: 361,
	} {
		require.Equal(t, time.Duration(seconds)*time.Second, p.RoundStart(at), "%v", at)
	}
}

func TestUnusableParams(t *testing.T) {
	p := openParams(false)
	p.LayerDuration = time.Second
	require.ErrorIs(t, p.Validate(), hare.ErrParams)
	p.Hare4 = true
	require.NoError(t, p.Validate(), "hare4's timing is not checked")
	p.EnableLayer, p.DisableLayer = 5, 5
	require.ErrorIs(t, p.Validate(), hare.ErrParams)
	p.DisableLayer = 0
	require.NoError(t, p.Validate())
	p.LayersPerEpoch = 0
	require.ErrorIs(t, p.Validate(), hare.ErrParams)
}

func TestLayersThatAVersionRuns(t *testing.T) {
	p := openParams(false)
	p.EnableLayer, p.DisableLayer = 30, 40
	for layer, runs := range map[wire.LayerID]bool{19: false, 29: false, 30: true, 39: true, 40: false} {
		require.Equal(t, runs, p.Runs(layer), "%d", layer)
	}
	p.EnableLayer = 0
	require.False(t, p.Runs(19))
	require.True(t, p.Runs(20))
}

func TestNoSessionWithoutSyncOrBeacon(t *testing.T) {
	o := newOpen()
	h, err := hare.New(openParams(false), o, o)
	require.NoError(t, err)
	start := hare.LayerStart{Layer: openLayer, Start: genesisTime, Beacon: openBeacon()}
	require.Empty(t, h.StartLayer(start))
	start.Synced, start.Beacon = true, nil
	require.Empty(t, h.StartLayer(start))
	start.Beacon = &wire.Beacon{}
	require.Empty(t, h.StartLayer(start))
	start.Layer, start.Beacon = 19, openBeacon()
	require.Empty(t, h.StartLayer(start))
	start.Layer = openLayer
	require.NotEmpty(t, h.StartLayer(start))
	require.Empty(t, h.StartLayer(start), "a session starts once")
	require.Equal(t, []wire.LayerID{openLayer}, h.Layers())
}

// Without anybody eligible the preround does not wait; with somebody it does.
func TestPreroundWaitsForSpeakersOnly(t *testing.T) {
	me := wire.NodeID{7}
	h, _, effects := openSession(t, false, me)
	prove := effects[1].(hare.Prove)
	require.Empty(t, h.Proofs(openLayer, prove.At, []hare.Proof{{Node: me}}))
	next, _ := h.NextTick()
	require.Equal(t, genesisTime.Add(2*time.Second), next, "softlock's time")

	h, o, effects := openSession(t, false, me, wire.NodeID{8})
	o.seats[me] = 2
	prove = effects[1].(hare.Prove)
	require.Empty(t, h.Proofs(openLayer, prove.At, []hare.Proof{{Node: me}, {Node: me}, {Node: wire.NodeID{9}}}))
	sign := h.Tick(genesisTime.Add(time.Second))[0].(hare.Sign)
	require.Len(t, sign.Messages, 1)
	require.Equal(t, me, sign.Messages[0].Sender)
	require.EqualValues(t, 2, sign.Messages[0].Body.Eligibility.Count)
	require.Equal(t, []wire.ProposalID{{1}, {2}, {3}}, sign.Messages[0].Body.Value.Proposals)
}

// A signer that is slow must not hold the session up.
func TestLateProofsStillSpeakInTheirRound(t *testing.T) {
	me := wire.NodeID{7}
	h, o, effects := openSession(t, false, me)
	o.seats[me] = 2
	prove := effects[1].(hare.Prove)
	require.Empty(t, h.Tick(genesisTime.Add(time.Second)))
	late := h.Proofs(openLayer, prove.At, []hare.Proof{{Node: me}})
	require.Len(t, late, 1)
	require.Len(t, late[0].(hare.Sign).Messages[0].Body.Value.Proposals, 3)
	require.Empty(t, h.Proofs(openLayer, prove.At, []hare.Proof{{Node: me}}), "proofs count once")

	h, o, effects = openSession(t, false, me)
	o.seats[me] = 2
	h.Tick(genesisTime.Add(2 * time.Second))
	require.Empty(t, h.Proofs(openLayer, effects[1].(hare.Prove).At, []hare.Proof{{Node: me}}), "too late")
}

func TestSessionWithoutMessagesFails(t *testing.T) {
	h, _, _ := openSession(t, false)
	effects := runToEnd(t, h)
	require.Equal(t, []hare.Effect{
		hare.ReleaseCharge{Layer: openLayer},
		hare.Ended{Layer: openLayer, Err: hare.ErrNoConsensus},
	}, effects)
	require.Equal(t, hare.NotRegistered, rule(t, h.Handle("peer", raw(spoken(false, 1, wire.IterRound{}, 0)))))
}

// A clock that jumps executes overdue rounds back to back.
func TestOverdueRounds(t *testing.T) {
	h, _, _ := openSession(t, false)
	effects := h.Tick(genesisTime.Add(time.Hour))
	require.Equal(t, hare.Ended{Layer: openLayer, Err: hare.ErrNoConsensus}, effects[len(effects)-1])
}

func TestProposalStore(t *testing.T) {
	s := hare.NewProposals(2, 5)
	require.ErrorIs(t, s.Add(hare.StoredProposal{Layer: 5}), hare.ErrLayerEvicted)
	for l := wire.LayerID(6); l < 10; l++ {
		require.NoError(t, s.Add(hare.StoredProposal{Layer: l}))
	}
	require.ErrorIs(t, s.Add(hare.StoredProposal{Layer: 6}), hare.ErrProposalKnown)
	s.OnLayer(1)
	s.OnLayer(9)
	require.False(t, s.Has(6, wire.ProposalID{}))
	require.True(t, s.Has(7, wire.ProposalID{}))
	require.ErrorIs(t, s.Add(hare.StoredProposal{Layer: 6, ID: wire.ProposalID{1}}), hare.ErrLayerEvicted)
	require.Nil(t, s.Local(7)[0].Compact)
}

func TestChargesKeepTheLastHundred(t *testing.T) {
	var c hare.Charges
	for l := range wire.LayerID(150) {
		c.Take(l)
		c.Take(l)
	}
	require.False(t, c.Hold(49))
	require.True(t, c.Hold(50))
	c.Release(50)
	c.Release(50)
	require.False(t, c.Hold(50))
	require.True(t, c.Hold(149))
}
