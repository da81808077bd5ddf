package roundstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/smeshery/smeshery/pkg/poet"
)

// Import takes a round over from the reference worker's directory (spec 03
// §10.2, §10.3) and leaves that directory as it is. The statement and the leaf
// count come from its state file, the layers from its layer files.
func Import(to FS, from string, cfg Config) (*Round, error) {
	if _, err := to.ReadFile(workFile); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(ErrOtherRound, err)
	}
	raw, err := os.ReadFile(filepath.Join(from, "state.bin"))
	if err != nil {
		return nil, err
	}
	state, err := poet.DecodeRoundState(raw)
	if err != nil {
		return nil, fmt.Errorf("importing %s: %w", from, err)
	}
	layers, err := openLayers(from)
	defer layers.close()
	if err != nil {
		return nil, err
	}
	cfg.Statement = state.Statement
	r := &Round{cfg: cfg.withDefaults(), dir: to}
	if err := r.openLayer(0); err != nil {
		return nil, err
	}
	if err := r.takeOver(state, layers); err != nil {
		return nil, errors.Join(fmt.Errorf("importing %s: %w", from, err), r.Close())
	}
	return r, nil
}

func (r *Round) takeOver(state poet.RoundState, layers layerFiles) (err error) {
	r.work, err = poet.ImportWork(state.Statement, state.Leaves, layers.all(), func(node poet.Node) error {
		if r.pending = append(r.pending, node[:]...); len(r.pending) < readSize {
			return nil
		}
		_, err := r.layer.WriteAt(r.pending, int64(r.written)*nodeSize)
		r.written += uint64(int64(len(r.pending)) / nodeSize)
		r.pending = r.pending[:0]
		return err
	})
	if err != nil {
		return err
	}
	if err := r.layer.Sync(); err != nil {
		return err
	}
	return r.Checkpoint()
}

type layerFiles []*layerReader

// layerReader reads nodes of a layer file; neighbours come from one read.
type layerReader struct {
	file  *os.File
	width uint64
	first uint64
	buf   []byte
}

func openLayers(from string) (layerFiles, error) {
	var layers layerFiles
	for {
		f, err := os.Open(filepath.Join(from, fmt.Sprintf("layercache_%d.bin", len(layers))))
		if errors.Is(err, fs.ErrNotExist) && len(layers) > 0 {
			return layers, nil
		}
		if err != nil {
			return layers, err
		}
		layers = append(layers, &layerReader{file: f})
		info, err := f.Stat()
		if err != nil {
			return layers, err
		}
		layers[len(layers)-1].width = uint64(info.Size() / nodeSize)
	}
}

func (l layerFiles) close() {
	for _, layer := range l {
		_ = layer.file.Close()
	}
}

func (l layerFiles) all() []poet.Layer {
	var layers []poet.Layer
	for _, layer := range l {
		layers = append(layers, layer)
	}
	return layers
}

func (l *layerReader) Width() uint64 { return l.width }

func (l *layerReader) Node(index uint64) (poet.Node, error) {
	size := uint64(nodeSize)
	if index < l.first || index >= l.first+uint64(len(l.buf))/size {
		part := make([]byte, min(readSize/size, l.width-index)*size)
		if n, err := l.file.ReadAt(part, int64(index*size)); n < len(part) {
			return poet.Node{}, err
		}
		l.first, l.buf = index, part
	}
	at := (index - l.first) * size
	return poet.Node(l.buf[at : at+size]), nil
}
