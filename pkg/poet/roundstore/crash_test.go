package roundstore

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
)

var errCrash = errors.New("power failure")

// crashFS is a directory that fails at one of its calls and forgets, in one of
// the ways that file systems may, what was not synced.
type crashFS struct {
	live, durable map[string]*inode
	calls, failAt int
}

type inode struct{ live, durable []byte }

func newCrashFS() *crashFS {
	return &crashFS{live: map[string]*inode{}, durable: map[string]*inode{}}
}

// step counts a call that changes something, and fails at the chosen one and
// ever after.
func (c *crashFS) step() error {
	c.calls++
	if c.failAt > 0 && c.calls >= c.failAt {
		return errCrash
	}
	return nil
}

// reboot drops or keeps what was not synced.
func (c *crashFS) reboot(rng *rand.Rand, failAt int) {
	if rng.IntN(2) == 0 {
		c.live = maps.Clone(c.durable)
	}
	for _, node := range c.live {
		switch rng.IntN(4) {
		case 0: // all of it was written
		case 1: // the file grew, its content did not arrive
			grown := make([]byte, max(len(node.live), len(node.durable)))
			copy(grown, node.durable)
			node.live = grown
		default:
			node.live = bytes.Clone(node.durable)
		}
		node.durable = bytes.Clone(node.live)
	}
	c.durable = maps.Clone(c.live)
	c.calls, c.failAt = 0, failAt
}

func (c *crashFS) Open(name string) (File, error) {
	if err := c.step(); err != nil {
		return nil, err
	}
	if c.live[name] == nil {
		c.live[name] = &inode{}
	}
	return &crashFile{fs: c, inode: c.live[name]}, nil
}

func (c *crashFS) ReadFile(name string) ([]byte, error) {
	if c.live[name] == nil {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(c.live[name].live), nil
}

func (c *crashFS) Rename(from, to string) error {
	if err := c.step(); err != nil {
		return err
	}
	c.live[to] = c.live[from]
	delete(c.live, from)
	return nil
}

func (c *crashFS) Remove(name string) error {
	if err := c.step(); err != nil {
		return err
	}
	delete(c.live, name)
	return nil
}

func (c *crashFS) Sync() error {
	if err := c.step(); err != nil {
		return err
	}
	c.durable = maps.Clone(c.live)
	return nil
}

type crashFile struct {
	fs    *crashFS
	inode *inode
}

func (f *crashFile) ReadAt(p []byte, at int64) (int, error) {
	if at >= int64(len(f.inode.live)) {
		return 0, io.EOF
	}
	n := copy(p, f.inode.live[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *crashFile) WriteAt(p []byte, at int64) (int, error) {
	err := f.fs.step()
	if err != nil {
		p = p[:len(p)/2]
	}
	if grow := int(at) + len(p) - len(f.inode.live); grow > 0 {
		f.inode.live = append(f.inode.live, make([]byte, grow)...)
	}
	return copy(f.inode.live[at:], p), err
}

func (f *crashFile) Truncate(size int64) error {
	if err := f.fs.step(); err != nil {
		return err
	}
	f.inode.live = append([]byte(nil), f.inode.live[:size]...)
	return nil
}

func (f *crashFile) Sync() error {
	if err := f.fs.step(); err != nil {
		return err
	}
	f.inode.durable = bytes.Clone(f.inode.live)
	return nil
}

func (f *crashFile) Size() (int64, error) { return int64(len(f.inode.live)), nil }
func (f *crashFile) Close() error         { return nil }
