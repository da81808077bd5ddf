package bus

import (
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/smeshery/smeshery/pkg/codec"
)

// form is how a type travels in a NATS message.
type form[T any] struct {
	put func(m *nats.Msg, v *T) error
	get func(m *nats.Msg, v *T) error
}

// scale is the protocol's own encoding, for what travels by the thousand.
func scale[T any, P codec.Pointer[T]]() form[T] {
	return form[T]{
		put: func(m *nats.Msg, v *T) (err error) { m.Data, err = codec.Append(nil, P(v)); return },
		get: func(m *nats.Msg, v *T) error { return codec.Decode(m.Data, P(v)) },
	}
}

// versioned is the envelope of JSON messages. A reader ignores fields it does
// not know, so that a newer release may add some; V rises when that is not enough.
type versioned[T any] struct {
	V    int `json:"v"`
	Body T   `json:"body"`
}

// asJSON is for messages that are rare, or that people read.
func asJSON[T any](version int) form[T] {
	return form[T]{
		put: func(m *nats.Msg, v *T) (err error) {
			m.Data, err = json.Marshal(versioned[*T]{version, v})
			return
		},
		get: func(m *nats.Msg, v *T) error {
			in := versioned[T]{}
			if err := json.Unmarshal(m.Data, &in); err != nil {
				return err
			}
			if in.V > version {
				return fmt.Errorf("message version %d, know up to %d", in.V, version)
			}
			*v = in.Body
			return nil
		},
	}
}

// raw is a byte string that is the message.
func raw[T ~[]byte]() form[T] {
	return form[T]{
		put: func(m *nats.Msg, v *T) error { m.Data = *v; return nil },
		get: func(m *nats.Msg, v *T) error { *v = m.Data; return nil },
	}
}

// None is a request or a reply without content.
type None struct{}

func none() form[None] {
	return form[None]{
		put: func(*nats.Msg, *None) error { return nil },
		get: func(*nats.Msg, *None) error { return nil },
	}
}
