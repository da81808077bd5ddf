package peer

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// MaxRequest is the limit of every request protocol (spec 08 §5.1).
const MaxRequest = 10_240

// maxUvarint is how many bytes a frame length may have.
const maxUvarint = 9

// AppendRequest frames a request; above the limit it fails locally.
func AppendRequest(dst, request []byte, limit int) ([]byte, error) {
	if len(request) > limit {
		return dst, fmt.Errorf("%w: %d of %d bytes", ErrRequestTooLong, len(request), limit)
	}
	dst = binary.AppendUvarint(dst, uint64(len(request)))
	return append(dst, request...), nil
}

// ReadRequest reads one framed request and leaves what follows unread. An error
// that wraps ErrDisconnect costs the peer its connection, any other its stream.
func ReadRequest(r io.Reader, limit int) ([]byte, error) {
	size, err := readUvarint(r)
	if err != nil {
		return nil, err
	}
	if size > uint64(limit) {
		return nil, fmt.Errorf("%w: %d of %d bytes", ErrDisconnect, size, limit)
	}
	request := make([]byte, size)
	if _, err := io.ReadFull(r, request); err != nil {
		return nil, fmt.Errorf("read request of %d bytes: %w", size, err)
	}
	return request, nil
}

// readUvarint reads byte by byte, so as not to take more than the number, and
// wants the shortest form.
func readUvarint(r io.Reader) (value uint64, err error) {
	var b [1]byte
	for i := range maxUvarint {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return 0, fmt.Errorf("read frame length: %w", err)
		}
		value |= uint64(b[0]&0x7f) << (7 * i)
		if b[0] < 0x80 {
			if b[0] == 0 && i > 0 {
				return 0, ErrFrameLength
			}
			return value, nil
		}
	}
	return 0, ErrFrameLength
}

// renewAfter is how many bytes must move before the idle deadline moves.
const renewAfter = 4096

// Deadline follows a stream's deadline (spec 08 §5.2).
type Deadline struct {
	Idle time.Duration
	Hard time.Time // start plus the hard timeout

	moved   int
	started bool
}

// Next counts bytes that are about to move and tells the deadline to set, if it
// has to be renewed. The hard timeout caps it.
func (d *Deadline) Next(now time.Time, bytes int) (deadline time.Time, renew bool) {
	d.moved += bytes
	if d.started && d.moved <= renewAfter {
		return time.Time{}, false
	}
	d.started, d.moved = true, 0
	deadline = now.Add(d.Idle)
	if d.Hard.Before(deadline) {
		deadline = d.Hard
	}
	return deadline, true
}
