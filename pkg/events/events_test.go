package events

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestEveryKindTravels(t *testing.T) {
	for kind, empty := range kinds {
		m, err := New(bus.ConsensusService, time.Unix(9, 0).UTC(), "7", empty())
		require.NoError(t, err)
		require.Equal(t, "events.consensus."+kind, m.Subject)
		var e bus.Event
		require.NoError(t, unversioned(m.Body, &e))
		require.Equal(t, kind, e.Kind)
		body, err := Decode(e)
		require.NoError(t, err)
		require.Equal(t, empty(), body)
	}
}

func TestContentsTravel(t *testing.T) {
	sent := &Proposal{Status: ProposalIncluded, ID: wire.ProposalID{1}, Node: wire.NodeID{2}, Layer: 3, Body: []byte{4}}
	data, err := json.Marshal(sent)
	require.NoError(t, err)
	got, err := Decode(bus.Event{Kind: sent.Kind(), Data: data})
	require.NoError(t, err)
	require.Equal(t, sent, got)
}

func TestWhatIsNotKnown(t *testing.T) {
	body, err := Decode(bus.Event{Kind: "of the next release"})
	require.NoError(t, err)
	require.Nil(t, body)
	_, err = Decode(bus.Event{Kind: "proposal", Data: []byte(`{"layer":-1}`)})
	require.Error(t, err)
}

// unversioned takes the event out of the bus's envelope.
func unversioned(body []byte, e *bus.Event) error {
	var envelope struct {
		Body json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return err
	}
	return json.Unmarshal(envelope.Body, e)
}
