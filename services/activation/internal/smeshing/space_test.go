package smeshing

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/wire"
)

// noPow finds every proof of work good.
type noPow struct{}

// Hash implements post.PowHasher.
func (noPow) Hash([]byte) ([32]byte, error) { return [32]byte{}, nil }

// Solve implements postdata.PowSolver.
func (noPow) Solve(context.Context, post.PowTask) (uint64, error) { return 7, nil }

// disk is a Space that really makes data and proofs, of tiny size, in its own
// process.
type disk struct {
	dir    string
	params post.Params

	mu     sync.Mutex
	change func(*SpaceProof) error // lies, if set
	proofs map[wire.NodeID]int     // made
}

func newDisk(t testing.TB, params post.Params) *disk {
	return &disk{dir: t.TempDir(), params: params, proofs: make(map[wire.NodeID]int)}
}

func (d *disk) of(id wire.NodeID) string { return filepath.Join(d.dir, id.String()) }

// Info implements Space.
func (d *disk) Info(_ context.Context, id wire.NodeID) (SpaceInfo, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, err := postdata.LoadMetadata(d.of(id))
	if err != nil || m.Nonce == nil {
		return SpaceInfo{}, false, nil
	}
	return SpaceInfo{Node: m.NodeID, Commitment: m.CommitmentATX, Units: m.NumUnits, LabelsPerUnit: m.LabelsPerUnit, Nonce: m.Nonce}, true, nil
}

// Initialize implements Space.
func (d *disk) Initialize(ctx context.Context, setup SpaceSetup) (SpaceInfo, error) {
	d.mu.Lock()
	err := os.MkdirAll(d.of(setup.Node), 0o700)
	if err == nil {
		var s *postdata.Session
		s, err = postdata.Open(postdata.Options{
			Dir: d.of(setup.Node), NodeID: setup.Node, CommitmentATX: setup.Commitment, NumUnits: setup.Units,
			MaxFileSize: 1 << 20, BatchSize: 128, Params: d.params, Engine: cpu.New(1),
		})
		if err == nil {
			err = s.Run(ctx)
		}
	}
	d.mu.Unlock()
	if err != nil {
		return SpaceInfo{}, err
	}
	info, _, err := d.Info(ctx, setup.Node)
	return info, err
}

// Prove implements Space.
func (d *disk) Prove(ctx context.Context, id wire.NodeID, challenge wire.Hash32, _ time.Time) (SpaceProof, error) {
	info, _, err := d.Info(ctx, id)
	if err != nil {
		return SpaceProof{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	made, _, err := postdata.Prove(ctx, d.of(id), challenge, postdata.ProveConfig{Params: d.params, Nonces: 32, Threads: 1, Solver: noPow{}})
	if err != nil {
		return SpaceProof{}, err
	}
	d.proofs[id]++
	proof := SpaceProof{Post: wire.PostV1{Nonce: made.Nonce, Indices: made.Indices, Pow: made.Pow}, Info: info}
	if d.change != nil {
		err = d.change(&proof)
	}
	return proof, err
}

// lie changes proofs from now on.
func (d *disk) lie(f func(*SpaceProof) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.change = f
}
