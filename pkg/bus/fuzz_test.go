package bus_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
)

// forms makes an empty one of every message that services send each other in SCALE.
func forms() []codec.Coded {
	return []codec.Coded{
		new(bus.SignRequest), new(bus.SignReply), new(bus.VRFRequest), new(bus.VRFReply), new(bus.IdentitiesReply),
		new(bus.ConsensusReply), new(bus.Tick), new(bus.Judgement), new(bus.FetchRequest), new(bus.FetchReply),
		new(bus.ExecuteRequest), new(bus.ExecuteReply), new(bus.RevertRequest), new(bus.RevertReply),
		new(bus.SelectRequest), new(bus.SelectReply), new(bus.LayerNews), new(bus.ProcessRequest), new(bus.ProcessReply),
		new(bus.TakeRequest), new(bus.TakeReply), new(bus.BeatRequest), new(bus.BeatReply), new(bus.FinishRequest),
		new(bus.AnnounceRequest), new(bus.AnnounceReply), new(bus.SubmitRequest), new(bus.TaskReply),
		new(bus.PostInitInput), new(bus.PostProveInput), new(bus.PostProveResult), new(bus.K2PowInput), new(bus.K2PowResult),
		new(bus.PostVerifyInput), new(bus.PostVerifyResult),
	}
}

// FuzzForms decodes what another process may send: no panic, and what decodes
// is the same after a round trip.
func FuzzForms(f *testing.F) {
	for i, form := range forms() {
		b, err := codec.Encode(form)
		require.NoError(f, err)
		f.Add(uint8(i), b)
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		all := forms()
		form, again := all[int(kind)%len(all)], forms()[int(kind)%len(all)]
		if codec.Decode(b, form) != nil {
			return
		}
		encoded, err := codec.Encode(form)
		require.NoError(t, err)
		require.NoError(t, codec.Decode(encoded, again))
		require.Equal(t, form, again)
	})
}
