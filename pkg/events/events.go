package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
)

// Body is the content of an event of one kind.
type Body interface {
	// Kind names the type in subjects and logs.
	Kind() string
}

// New makes the message for an event. id is unique for the service and kind, and
// the same when the event is made again after a crash; empty leaves it to chance
// that a repeat is told twice.
func New(service string, at time.Time, id string, body Body) (bus.Outgoing, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return bus.Outgoing{}, fmt.Errorf("event %s: %w", body.Kind(), err)
	}
	if id == "" {
		id = fmt.Sprint(at.UnixNano())
	}
	return bus.Events(service, body.Kind()).Outgoing(bus.Event{
		ID: body.Kind() + "." + id, Kind: body.Kind(), Service: service, At: at, Data: data,
	})
}

// Decode reads the content of an event. A kind that is not known gives nil: a
// service of the next release may tell more than this one understands.
func Decode(e bus.Event) (Body, error) {
	empty, ok := kinds[e.Kind]
	if !ok {
		return nil, nil
	}
	body := empty()
	if err := json.Unmarshal(e.Data, body); err != nil {
		return nil, fmt.Errorf("event %s %s: %w", e.Kind, e.ID, err)
	}
	return body, nil
}

func empty[T any, P interface {
	*T
	Body
}]() Body {
	return P(new(T))
}

// kinds are all types by their name.
var kinds = func() map[string]func() Body {
	out := make(map[string]func() Body)
	for _, f := range []func() Body{
		empty[Transactions], empty[LayerExecuted], empty[LayersReverted], empty[LayerUpdate], empty[ActivationStored], empty[MalfeasanceStored],
		empty[Proposal], empty[Beacon], empty[Eligibilities], empty[InitStart], empty[InitComplete], empty[InitFailed],
		empty[InitProgress], empty[PostServiceStarted], empty[PostServiceStopped],
		empty[PostStart], empty[PostComplete], empty[PoetWaitRound], empty[PoetRegistered], empty[PoetWaitProof],
		empty[PoetProofDownloaded], empty[PoetBestProof], empty[ATXPublished], empty[OwnMalfeasance],
	} {
		out[f().Kind()] = f
	}
	return out
}()
