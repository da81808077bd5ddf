package fetch

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

var errActiveSetRequest = fmt.Errorf("%w: not one active set", errUndecodable)

// item is an object that a batch asks for and that is there.
type item struct {
	hint wire.Hint
	hash wire.Hash32
	size int
}

// batch answers in the order of the request; what is absent is left out.
func (s *Server) batch(r *response, request []byte, activeSet bool) error {
	var b wire.RequestBatch
	if err := decode(request, &b); err != nil {
		return err
	}
	if activeSet && (len(b.Requests) > 1 || len(b.Requests) == 1 && b.Requests[0].Hint != wire.HintActiveSet) {
		return errActiveSetRequest
	}
	items, err := s.items(b.Requests)
	if err != nil {
		return err
	}
	total := len(b.ID) + compactSize(len(items))
	for _, it := range items {
		total += len(it.hash) + compactSize(it.size) + it.size
	}
	if total > wire.MaxResponseData {
		return fmt.Errorf("%d bytes of objects asked for", total)
	}
	r.begin(total)
	r.bytes(b.ID[:])
	r.compact(len(items))
	for _, it := range items {
		if err := s.writeItem(r, it); err != nil {
			return err
		}
	}
	return r.finish()
}

func (s *Server) items(requests []wire.RequestMessage) ([]item, error) {
	items := make([]item, 0, len(requests))
	for _, q := range requests {
		size, err := s.Store.BlobSize(q.Hint, key(q))
		if err != nil {
			return nil, fmt.Errorf("size of %q %s: %w", q.Hint, q.Hash, err)
		}
		if size > 0 {
			items = append(items, item{q.Hint, q.Hash, size})
		}
	}
	return items, nil
}

// key of a proposal is its first 20 bytes, whatever follows them.
func key(q wire.RequestMessage) wire.Hash32 {
	if q.Hint == wire.HintProposal {
		return wire.Pad32(wire.ProposalID(q.Hash[:20]))
	}
	return q.Hash
}

// writeItem ends the stream when the object has changed since it was measured.
func (s *Server) writeItem(r *response, it item) error {
	blob, err := s.Store.Blob(it.hint, key(wire.RequestMessage{Hint: it.hint, Hash: it.hash}))
	if err != nil {
		return fmt.Errorf("read %q %s: %w", it.hint, it.hash, err)
	}
	if len(blob) != it.size {
		return errors.New("object changed while it was sent")
	}
	r.bytes(it.hash[:])
	r.compact(it.size)
	r.bytes(blob)
	return r.err
}
