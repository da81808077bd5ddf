package peer

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Prologue keeps networks apart in the Noise handshake, and is the QUIC cookie
// (spec 08 §2.2). A checkpoint recovery changes the effective genesis and with it
// the prologue.
func Prologue(genesis wire.Hash20, effectiveGenesis wire.LayerID) string {
	return hex.EncodeToString(genesis[:]) + "-" + strconv.FormatUint(uint64(effectiveGenesis), 10)
}

// MaxCookie bounds a cookie that is read.
const MaxCookie = 64

func cookiePrefix() []byte { return []byte{0x21, 0x23, 0x42, 0x42} }

// AppendCookie appends the message of spec 08 §2.5.
func AppendCookie(dst, cookie []byte) []byte {
	dst = append(dst, cookiePrefix()...)
	dst = binary.AppendUvarint(dst, uint64(len(cookie)))
	return append(dst, cookie...)
}

// ReadCookie reads the peer's message. Retryable tells whether another attempt on
// the connection makes sense after an error.
func ReadCookie(r io.Reader) (cookie []byte, err error) {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, fmt.Errorf("read cookie prefix: %w", err)
	}
	if !bytes.Equal(prefix[:], cookiePrefix()) {
		return nil, ErrNoCookie
	}
	size, err := readUvarint(r)
	if err != nil {
		return nil, err
	}
	if size > MaxCookie {
		return nil, fmt.Errorf("%w: %d bytes", ErrCookieTooLong, size)
	}
	cookie = make([]byte, size)
	if _, err := io.ReadFull(r, cookie); err != nil {
		return nil, fmt.Errorf("read cookie: %w", err)
	}
	return cookie, nil
}

// CheckCookie compares the peer's cookie with ours.
func CheckCookie(ours, theirs []byte) error {
	if !bytes.Equal(ours, theirs) {
		return ErrCookieDiffers
	}
	return nil
}

// Retryable tells whether a failed cookie exchange may be tried again. A peer
// that answers something else is not asked twice.
func Retryable(err error) bool {
	return !errors.Is(err, ErrNoCookie) && !errors.Is(err, ErrCookieDiffers)
}
