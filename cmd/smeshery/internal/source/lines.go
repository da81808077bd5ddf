package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxLine bounds a line in bytes: an active set of millions of ATXs fits.
const maxLine = 512 << 20

// lineReader reads the JSON lines of one file of a recording.
type lineReader struct {
	path string
	file *os.File
	zip  *gzip.Reader
	buf  *bufio.Reader
	line int
}

func openLines(path string) (*lineReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &Error{Path: path, Err: plain(err)}
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, &Error{Path: path, Err: cut(err)}
	}
	return &lineReader{path: path, file: f, zip: z, buf: bufio.NewReaderSize(z, 1<<16)}, nil
}

func (r *lineReader) close() {
	_ = r.zip.Close()
	_ = r.file.Close()
}

// next reads a row; io.EOF after the last one. Empty lines count but are skipped.
func (r *lineReader) next() (*fields, error) {
	for {
		raw, err := r.readLine()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		values, err := object(raw)
		if err != nil {
			return nil, &Error{r.path, r.line, err}
		}
		return &fields{place: Place{filepath.Base(r.path), r.line}, values: values}, nil
	}
}

func (r *lineReader) readLine() ([]byte, error) {
	var line []byte
	for {
		part, err := r.buf.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			r.line++
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
			if len(line) > maxLine {
				return nil, &Error{r.path, r.line + 1, fmt.Errorf("longer than %d bytes", maxLine)}
			}
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			r.line++
			return line, nil
		default:
			return nil, &Error{r.path, r.line + 1, cut(err)}
		}
	}
}

// cut says what gzip's errors mean to the one who copied the file.
func cut(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the file is cut short")
	case errors.Is(err, gzip.ErrChecksum):
		return errors.New("the file was altered: its checksum does not match")
	case errors.Is(err, gzip.ErrHeader):
		return errors.New("not a gzip file")
	}
	return fmt.Errorf("the file is damaged: %w", err)
}

// object decodes a flat JSON object and keeps all digits of numbers.
func object(raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the line is cut short")
		}
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if values == nil {
		return nil, errors.New("not a JSON object")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON object in the line")
	}
	return values, nil
}
