package fetch

import (
	"fmt"
	"io"
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// reader reads a response from a stream and takes no byte more than it has.
type reader struct {
	r    io.Reader
	read int
}

func (r *reader) full(b []byte) error {
	n, err := io.ReadFull(r.r, b)
	r.read += n
	return err
}

// compact reads a compact 32-bit integer.
func (r *reader) compact() (int, error) {
	var raw [5]byte
	if err := r.full(raw[:1]); err != nil {
		return 0, err
	}
	size := 1
	switch raw[0] & 3 {
	case 1:
		size = 2
	case 2:
		size = 4
	case 3:
		size = 5 // wider ones are refused by the decoder
	}
	if err := r.full(raw[1:size]); err != nil {
		return 0, err
	}
	var v wire.LayerID
	err := codec.Decode(raw[:size], &v)
	return int(v), err
}

// bounded reads a compact integer that must not be above the limit.
func (r *reader) bounded(limit int) (int, error) {
	v, err := r.compact()
	if err == nil && v > limit {
		err = fmt.Errorf("%d of at most %d", v, limit)
	}
	return v, err
}

// blob reads n bytes with memory that grows with what arrives.
func (r *reader) blob(n int) ([]byte, error) {
	const piece = 1 << 16
	out := make([]byte, 0, min(n, piece))
	for len(out) < n {
		size := min(n-len(out), max(piece, len(out)))
		out = slices.Grow(out, size)[:len(out)+size]
		if err := r.full(out[len(out)-size:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// skip reads n bytes and keeps none.
func (r *reader) skip(n int) error {
	copied, err := io.CopyN(io.Discard, r.r, int64(n))
	r.read += int(copied)
	return err
}

// end reads the error text that follows the data. Data with an error text is an
// error; no data and no text is malformed where data must be.
func (r *reader) end(size int) error {
	n, err := r.bounded(wire.MaxResponseError)
	if err != nil {
		return malformed(err)
	}
	text, err := r.blob(n)
	switch {
	case err != nil:
		return malformed(err)
	case n > 0:
		return &PeerError{string(text)}
	case size == 0:
		return ErrMalformedResponse
	}
	return nil
}

func malformed(err error) error { return fmt.Errorf("%w: %w", ErrMalformedResponse, err) }

// ReadIDs reads an id list of at most limit ids and tells how many bytes it took
// (spec 08 §5.3). The error is a PeerError or wraps ErrMalformedResponse.
func ReadIDs[T ~[32]byte](stream io.Reader, limit int) (ids []T, read int, err error) {
	r := &reader{r: stream}
	size, err := r.bounded(wire.MaxResponseData)
	if err != nil {
		return nil, r.read, malformed(err)
	}
	if size > 0 {
		n, err := r.bounded(limit)
		if err != nil {
			return nil, r.read, malformed(err)
		}
		if size != compactSize(n)+32*n {
			return nil, r.read, malformed(fmt.Errorf("%d bytes for %d ids", size, n))
		}
		raw, err := r.blob(32 * n)
		if err != nil {
			return nil, r.read, malformed(err)
		}
		ids = make([]T, n)
		for i := range ids {
			ids[i] = T(raw[32*i:])
		}
	}
	if err := r.end(size); err != nil {
		return nil, r.read, err
	}
	return ids, r.read, nil
}

// ReadBatch reads the answer to a batch: the objects that were asked for, each at
// most once. Objects nobody asked for are skipped.
func ReadBatch(stream io.Reader, batch *wire.RequestBatch) ([]wire.ResponseMessage, error) {
	r := &reader{r: stream}
	size, err := r.bounded(wire.MaxResponseData)
	if err != nil {
		return nil, malformed(err)
	}
	var items []wire.ResponseMessage
	if size > 0 {
		start := r.read
		if items, err = r.items(batch, start+size); err != nil {
			return nil, err
		}
		if r.read != start+size {
			return nil, malformed(fmt.Errorf("%d of %d bytes read", r.read-start, size))
		}
	}
	if err := r.end(size); err != nil {
		return nil, err
	}
	return items, nil
}

// items reads a ResponseBatch that ends at a position of the stream.
func (r *reader) items(batch *wire.RequestBatch, end int) ([]wire.ResponseMessage, error) {
	var id wire.Hash32
	if err := r.full(id[:]); err != nil {
		return nil, malformed(err)
	}
	if id != batch.ID {
		return nil, fmt.Errorf("%w: %s, not %s", ErrBatchID, id, batch.ID)
	}
	count, err := r.bounded(wire.MaxBatchRequests)
	if err != nil {
		return nil, malformed(err)
	}
	wanted := map[wire.Hash32]struct{}{}
	for _, q := range batch.Requests {
		wanted[q.Hash] = struct{}{}
	}
	items := make([]wire.ResponseMessage, 0, count)
	for range count {
		var hash wire.Hash32
		if err := r.full(hash[:]); err != nil {
			return nil, malformed(err)
		}
		n, err := r.bounded(end - r.read)
		if err != nil {
			return nil, malformed(err)
		}
		if _, ok := wanted[hash]; !ok {
			if err := r.skip(n); err != nil {
				return nil, malformed(err)
			}
			continue
		}
		delete(wanted, hash)
		data, err := r.blob(n)
		if err != nil {
			return nil, malformed(err)
		}
		items = append(items, wire.ResponseMessage{Hash: hash, Data: data})
	}
	return items, nil
}
