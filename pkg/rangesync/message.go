package rangesync

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/codec"
)

// Limits of spec 08 §10.3.
const (
	MaxKeys         = 100_000_000
	MaxSample       = 1_000
	fingerprintSize = 12
)

type (
	// Key is an element of the sets.
	Key [32]byte
	// Fingerprint is the exclusive or of the first 12 bytes of keys.
	Fingerprint [fingerprintSize]byte
)

// Type is a message's first byte.
type Type uint8

// Types of spec 08 §10.3.
const (
	Done Type = iota
	EndRound
	EmptySet
	EmptyRange
	RangeFingerprint
	RangeContents
	ItemBatch
	Probe
	Sample
	Recent
)

var typeNames = [...]string{
	"done", "endRound", "emptySet", "emptyRange", "fingerprint", "rangeContents", "itemBatch", "probe", "sample", "recent",
}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// Errors of malformed messages, besides codec's.
var (
	ErrEndOfStream = errors.New("stream ends between messages")
	ErrUnknownType = errors.New("unknown message type")
	ErrCompactKey  = errors.New("invalid compact key")
	ErrKeyKind     = errors.New("keys of another kind")
)

// Message is one message; which fields count depends on its type. X and Y are
// nil for the whole set.
type Message struct {
	Type        Type
	X, Y        *Key
	Fingerprint Fingerprint
	// Count is the number of keys in the range, or a probe's sample size.
	Count  uint32
	Sample []uint32
	Keys   []Key
	// Since is in nanoseconds since 1970.
	Since uint64
}

// Decode reads one message from the start of b and tells how long it was. An
// error that wraps codec.ErrEOF means that more bytes are needed.
func Decode(b []byte) (m Message, n int, err error) {
	if len(b) == 0 {
		return m, 0, ErrEndOfStream
	}
	n, err = codec.DecodePrefix(b, &m)
	return m, n, err
}

// Append appends the message's encoding.
func (m Message) Append(dst []byte) ([]byte, error) { return codec.Append(dst, &m) }

// Code is the table of spec 08 §10.3.
func (m *Message) Code(c *codec.Coder) {
	c.U8((*uint8)(&m.Type))
	switch m.Type {
	case Done, EndRound, EmptySet:
	case EmptyRange:
		m.codeRange(c)
	case RangeFingerprint, Probe:
		m.codeRange(c)
		c.Fixed(m.Fingerprint[:])
		c.Compact32(&m.Count)
	case RangeContents:
		m.codeRange(c)
		c.Compact32(&m.Count)
	case ItemBatch:
		codeKeys(c, &m.Keys)
	case Sample:
		m.codeRange(c)
		c.Fixed(m.Fingerprint[:])
		c.Compact32(&m.Count)
		codeSample(c, &m.Sample)
	case Recent:
		c.Compact64(&m.Since)
	default:
		c.Fail(fmt.Errorf("%w %d", ErrUnknownType, m.Type))
	}
}

func (m *Message) codeRange(c *codec.Coder) {
	codeCompactKey(c, &m.X)
	codeCompactKey(c, &m.Y)
}

// codeCompactKey leaves out trailing zero bytes. Bits 7 and 6 of the first byte
// are 0 for nil and 1 for a key whose length follows in the others.
func codeCompactKey(c *codec.Coder, k **Key) {
	var head uint8
	if !c.Reading() && *k != nil {
		head = 1<<6 | uint8(significant(*k))
	}
	if c.U8(&head); c.Err() != nil {
		return
	}
	size := int(head & 0x3f)
	switch {
	case head>>6 == 0:
		*k = nil
		return
	case head>>6 != 1, size > len(Key{}):
		c.Fail(ErrCompactKey)
		return
	case c.Reading():
		*k = new(Key)
	}
	c.Fixed((*k)[:size])
}

func significant(k *Key) int {
	n := len(k)
	for n > 0 && k[n-1] == 0 {
		n--
	}
	return n
}

func codeSample(c *codec.Coder, sample *[]uint32) {
	n := uint32(len(*sample))
	c.Compact32(&n)
	if n > MaxSample {
		c.Fail(codec.ErrTooManyElements)
	}
	if c.Err() != nil {
		return
	}
	if c.Reading() {
		*sample = make([]uint32, n)
	}
	for i := range *sample {
		c.U32(&(*sample)[i])
	}
}

// kind is the only kind of keys there is.
const kind = 1

func codeKeys(c *codec.Coder, keys *[]Key) {
	n := uint32(len(*keys))
	c.Compact32(&n)
	if n > MaxKeys {
		c.Fail(codec.ErrTooManyElements)
	}
	if c.Err() != nil || n == 0 {
		return
	}
	k := uint8(kind)
	if c.U8(&k); c.Err() == nil && k != kind {
		c.Fail(ErrKeyKind)
	}
	if !c.Reading() {
		for i := range *keys {
			c.Fixed((*keys)[i][:])
		}
		return
	}
	for range n {
		var key Key
		if c.Fixed(key[:]); c.Err() != nil {
			return
		}
		*keys = append(*keys, key)
	}
}

func (f *Fingerprint) add(k *Key) {
	for i := range f {
		f[i] ^= k[i]
	}
}

func (f *Fingerprint) merge(g *Fingerprint) {
	for i := range f {
		f[i] ^= g[i]
	}
}

// sampleItem is what a sample shows of a key.
func sampleItem(k *Key) uint32 { return binary.BigEndian.Uint32(k[len(k)-4:]) }
