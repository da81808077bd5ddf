package bus

import (
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Verdict is what an owner thinks of a peer's message (spec 08 §4.3).
type Verdict uint8

const (
	// Unknown is no verdict: nobody judged. Gossip neither relays nor punishes.
	Unknown Verdict = iota
	// Accept: valid; relay it.
	Accept
	// Ignore: not relayed, nobody is to blame.
	Ignore
	// Reject: the peer broke a rule; not relayed, and it pays for it.
	Reject
)

// String names the verdict for logs and metric labels.
func (v Verdict) String() string {
	switch v {
	case Unknown:
		return "unknown"
	case Accept:
		return "accept"
	case Ignore:
		return "ignore"
	case Reject:
		return "reject"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// Judgement is an owner's reply to an object from the network.
type Judgement struct {
	Verdict Verdict
	// Reason is the rule that was broken, or why the object was ignored: a
	// short constant, fit for a metric label.
	Reason string
	// Detail is for people.
	Detail string
	// Missing names what has to be fetched before the object can be judged;
	// the verdict is then Ignore, and the same object may be offered again.
	Missing []Missing
}

// Missing is an object that somebody needs.
type Missing struct {
	Kind Kind
	Hash wire.Hash32
}

// maxMissing is how many dependencies a judgement may name: an active set of a
// whole epoch.
const maxMissing = 1 << 23

// Code describes the judgement on the wire.
func (j *Judgement) Code(c *codec.Coder) {
	v := uint8(j.Verdict)
	c.U8(&v)
	if v > uint8(Reject) {
		c.Fail(fmt.Errorf("verdict %d", v))
	}
	j.Verdict = Verdict(v)
	c.String(&j.Reason, maxErrorText)
	c.String(&j.Detail, 1<<16)
	codec.List(c, &j.Missing, maxMissing)
}

// Code describes the reference on the wire.
func (m *Missing) Code(c *codec.Coder) {
	k := string(m.Kind)
	c.String(&k, 64)
	m.Kind = Kind(k)
	c.Fixed(m.Hash[:])
}

// judgement cuts texts to what Code allows, so that a long detail never turns
// a verdict into an error.
func judgement() form[Judgement] {
	f := scale[Judgement]()
	put := f.put
	f.put = func(m *nats.Msg, j *Judgement) error {
		j.Reason = j.Reason[:min(len(j.Reason), maxErrorText)]
		j.Detail = j.Detail[:min(len(j.Detail), 1<<16)]
		return put(m, j)
	}
	return f
}
