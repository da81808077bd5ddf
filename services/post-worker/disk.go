package postworker

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/wire"
)

// storeFile holds the name under which the queue knows the disk. Workers that
// share a directory find the same one.
const storeFile = "store"

// ErrOtherIdentity says that a directory holds another identity's data.
var ErrOtherIdentity = errors.New("the data belongs to another identity")

// disk is the worker's data directory.
type disk struct {
	dir  string
	name string
}

// openDisk makes the directory and its name, or reads it.
func openDisk(dir string) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	path := filepath.Join(dir, storeFile)
	name, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if name, err = nameDisk(dir, path); err != nil {
			return nil, fmt.Errorf("name data directory: %w", err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("name of data directory: %w", err)
	}
	d := &disk{dir: dir, name: strings.TrimSpace(string(name))}
	if d.name == "" || len(d.name) > 64 {
		return nil, fmt.Errorf("name of data directory: %s is empty or too long", path)
	}
	return d, nil
}

// nameDisk writes a new name, whole or not at all. Of two workers the first wins.
func nameDisk(dir, path string) ([]byte, error) {
	tmp, err := os.CreateTemp(dir, storeFile+".tmp*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(suffix() + suffix() + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return nil, err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

// of is the directory of an identity.
func (d *disk) of(id wire.NodeID) string {
	if m, err := postdata.LoadMetadata(d.dir); err == nil && m.NodeID == id {
		return d.dir
	}
	return filepath.Join(d.dir, id.String())
}

// data describes the data in a directory, or tells that there is none.
func (d *disk) data(dir string) (data bus.SpaceData, m *post.Metadata, err error) {
	m, err = postdata.LoadMetadata(dir)
	if err != nil {
		return data, nil, err
	}
	data = bus.SpaceData{
		Node: m.NodeID, Commitment: m.CommitmentATX, Units: m.NumUnits, LabelsPerUnit: m.LabelsPerUnit, Nonce: m.Nonce,
	}
	layout, ok := post.NewLayout(m.LabelsPerUnit, m.NumUnits, m.MaxFileSize)
	if !ok {
		return data, m, fmt.Errorf("%w: sizes overflow", post.ErrMetadata)
	}
	data.Complete = m.Nonce != nil
	for k := uint64(0); data.Complete && k < layout.Files; k++ {
		info, err := os.Stat(filepath.Join(dir, postdata.FileName(k)))
		data.Complete = err == nil && uint64(info.Size()) == layout.InFile(k)*post.LabelSize
	}
	return data, m, nil
}

// scan finds all data on the disk.
func (d *disk) scan(bad func(dir string, err error)) ([]bus.SpaceData, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	var out []bus.SpaceData
	if data, _, err := d.data(d.dir); err == nil {
		out = append(out, data)
	}
	for _, e := range entries {
		raw, err := hex.DecodeString(e.Name())
		if err != nil || len(raw) != 32 || !e.IsDir() {
			continue
		}
		dir := filepath.Join(d.dir, e.Name())
		data, _, err := d.data(dir)
		switch {
		case errors.Is(err, postdata.ErrMetadataMissing):
		case err != nil:
			bad(dir, err)
		case data.Node != wire.NodeID(raw):
			bad(dir, fmt.Errorf("%w: %s", ErrOtherIdentity, data.Node))
		default:
			out = append(out, data)
		}
	}
	return out, nil
}

// announce tells the queue what lies on the disk.
func (s *Service) announce(ctx context.Context) error {
	if s.disk == nil {
		return nil
	}
	spaces, err := s.disk.scan(func(dir string, err error) {
		s.deps.Log.Error("data is not used", "dir", dir, "err", err)
	})
	if err != nil {
		return err
	}
	complete := 0
	for i := range spaces {
		if spaces[i].Complete {
			complete++
		}
	}
	s.metrics.spaces.WithLabelValues("complete").Set(float64(complete))
	s.metrics.spaces.WithLabelValues("partial").Set(float64(len(spaces) - complete))
	r, err := bus.AnnounceSpaces().Call(ctx, s.deps.Bus, bus.AnnounceRequest{Store: s.disk.name, Spaces: spaces})
	if err != nil {
		return err
	}
	for _, id := range r.Elsewhere {
		s.deps.Log.Warn("another disk has the identity's data, this one is not used", "smesher", id, "dir", s.disk.of(id))
	}
	return nil
}
