package bus

import (
	"encoding/json"
	"time"
)

// Event is something that happened, told to users through the API. Each
// service writes its own through its outbox; consumers know repeats by ID.
type Event struct {
	// ID is unique among the events of its service.
	ID string `json:"id"`
	// Kind is what happened, such as "atx_published".
	Kind string `json:"kind"`
	// Service is where it happened.
	Service string `json:"service"`
	// At is when, by that service's clock.
	At time.Time `json:"at"`
	// Data depends on Kind.
	Data json.RawMessage `json:"data,omitempty"`
}

// Events is where a service tells of its events of a kind. Neither may contain
// a dot.
func Events(service, kind string) Topic[Event] {
	return Topic[Event]{subject: "events." + service + "." + kind, owner: service, stream: EventsStream, form: asJSON[Event](1)}
}

// AllEvents is every service's events, to consume.
func AllEvents() Topic[Event] {
	return Topic[Event]{subject: "events.>", stream: EventsStream, form: asJSON[Event](1)}
}
