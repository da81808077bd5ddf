package db

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"github.com/jackc/pgx/v5"
)

// rowBuffer writes rows in Postgres's binary COPY format. It exists because a
// block may change 100,000 accounts, and encoding them through reflection costs
// more than executing them.
type rowBuffer struct{ b []byte }

// copyHeader is the signature of the format, without flags or extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// byteaOID is the type of bytea in the catalogue of every server.
const byteaOID = 17

func (r *rowBuffer) row(columns int) { r.b = binary.BigEndian.AppendUint16(r.b, uint16(columns)) }

func (r *rowBuffer) size(n int) { r.b = binary.BigEndian.AppendUint32(r.b, uint32(n)) }

func (r *rowBuffer) null() { r.size(-1) }

func (r *rowBuffer) bytes(v []byte) {
	r.size(len(v))
	r.b = append(r.b, v...)
}

func (r *rowBuffer) bigint(v uint64) {
	r.size(8)
	r.b = binary.BigEndian.AppendUint64(r.b, v)
}

// encoded is a bytea that put appends.
func (r *rowBuffer) encoded(put func([]byte) ([]byte, error)) error {
	at := len(r.b)
	r.size(0)
	var err error
	if r.b, err = put(r.b); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(r.b[at:], uint32(len(r.b)-at-4))
	return nil
}

// addresses is a bytea[] of n elements.
func (r *rowBuffer) array(n int, element func(i int) []byte) {
	at := len(r.b)
	r.size(0)
	dimensions := min(n, 1)
	r.size(dimensions)
	r.size(0) // no nulls
	r.size(byteaOID)
	if dimensions > 0 {
		r.size(n)
		r.size(1) // first subscript
	}
	for i := range n {
		r.bytes(element(i))
	}
	binary.BigEndian.PutUint32(r.b[at:], uint32(len(r.b)-at-4))
}

// copySource is the stream of a COPY, made row by row as it is read.
type copySource[T any] struct {
	rowBuffer
	next func() (T, bool)
	put  func(*rowBuffer, T) error
	read int // of b
	done bool
}

// copyChunk is how many bytes are made at once.
const copyChunk = 256 << 10

func (s *copySource[T]) Read(p []byte) (int, error) {
	if s.read == len(s.b) && !s.done {
		s.read, s.b = 0, s.b[:0]
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	if s.read == len(s.b) {
		return 0, io.EOF
	}
	n := copy(p, s.b[s.read:])
	s.read += n
	return n, nil
}

func (s *copySource[T]) fill() error {
	for len(s.b) < copyChunk {
		row, ok := s.next()
		if !ok {
			s.done = true
			s.row(-1) // the end
			return nil
		}
		if err := s.put(&s.rowBuffer, row); err != nil {
			return err
		}
	}
	return nil
}

// copyTx streams rows into a table; sql is COPY … FROM STDIN BINARY.
func copyTx[T any](ctx context.Context, tx pgx.Tx, sql string, rows iter.Seq[T], put func(*rowBuffer, T) error) error {
	next, stop := iter.Pull(rows)
	defer stop()
	src := &copySource[T]{next: next, put: put}
	src.b = append(make([]byte, 0, copyChunk+4096), copyHeader...)
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, src, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
