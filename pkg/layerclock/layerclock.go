package layerclock

import (
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Clock is a network's calendar.
type Clock struct {
	// Genesis is the start of layer 0.
	Genesis time.Time
	// LayerDuration is not 0.
	LayerDuration time.Duration
}

// LayerAt is the layer that holds t: 0 before genesis, exact to the nanosecond.
func (c Clock) LayerAt(t time.Time) wire.LayerID {
	since := t.Sub(c.Genesis)
	if since < 0 {
		return 0
	}
	return wire.LayerID(since / c.LayerDuration)
}

// Start is when a layer begins.
func (c Clock) Start(layer wire.LayerID) time.Time {
	whole, rest := c.LayerDuration/time.Second, c.LayerDuration%time.Second
	// Seconds and the rest apart: late layers lie beyond what one Duration holds.
	seconds := int64(whole) * int64(layer)
	nanos := int64(rest) * int64(layer)
	start := c.Genesis.Unix() + seconds + nanos/int64(time.Second)
	return time.Unix(start, int64(c.Genesis.Nanosecond())+nanos%int64(time.Second)).In(c.Genesis.Location())
}

// Until is how long it is from t to the start of a layer; negative once it has begun.
func (c Clock) Until(t time.Time, layer wire.LayerID) time.Duration { return c.Start(layer).Sub(t) }
