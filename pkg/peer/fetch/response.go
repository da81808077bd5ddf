package fetch

import (
	"io"
	"unsafe"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// response writes a server's response in pieces: length, data, empty error.
type response struct {
	w       io.Writer
	err     error
	started bool
}

func (r *response) bytes(b []byte) {
	if r.err == nil {
		r.started = true
		_, r.err = r.w.Write(b)
	}
}

func (r *response) compact(v int) { r.bytes(codec.AppendCompact(nil, uint64(v))) }

// begin announces the data's size.
func (r *response) begin(size int) { r.compact(size) }

// finish says that there was no error.
func (r *response) finish() error {
	r.bytes([]byte{0})
	return r.err
}

// whole writes data that is at hand.
func (r *response) whole(data []byte) error {
	r.begin(len(data))
	r.bytes(data)
	return r.finish()
}

// refuse writes an error response. The text is cut to what peers can decode.
func (r *response) refuse(err error) error {
	text := err.Error()
	text = text[:min(len(text), wire.MaxResponseError)]
	r.bytes(codec.MustEncode(&wire.ServerResponse{Error: text}))
	return r.err
}

// idsAtOnce is how many ids are written in one piece.
const idsAtOnce = 2048

// writeIDs writes an id list (spec 08 §5.3).
func writeIDs[T ~[32]byte](r *response, ids []T) error {
	r.begin(compactSize(len(ids)) + 32*len(ids))
	r.compact(len(ids))
	for len(ids) > 0 && r.err == nil {
		piece := ids[:min(idsAtOnce, len(ids))]
		r.bytes(unsafe.Slice((*byte)(unsafe.Pointer(&piece[0])), 32*len(piece)))
		ids = ids[len(piece):]
	}
	return r.finish()
}

func compactSize(v int) int { return len(codec.AppendCompact(nil, uint64(v))) }
