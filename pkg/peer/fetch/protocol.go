package fetch

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Protocol ids of spec 08 §6.1; none has a leading slash.
const (
	EpochInfo    = "ax/1"
	LayerBallots = "ld/1"
	ByHash       = "hs/1"
	ActiveSet    = "as/1"
	MeshHashes   = "mh/1"
	Malicious    = "ml/1"
	Opinions     = "lp/2"
)

// MaxIDs bounds the lists of ATXs and of malicious identities.
const MaxIDs = 8_000_000

// Errors of requests and responses.
var (
	ErrMalformedResponse = errors.New("malformed server response")
	ErrBatchID           = errors.New("response is for another batch")
	ErrMeshHashRequest   = errors.New("invalid mesh hash request")
	ErrUnknownHint       = errors.New("unknown hint")
	ErrNotFound          = errors.New("not found")
	ErrNoPeers           = errors.New("no peers")
	ErrMaxRetries        = errors.New("max retries for request")
)

// PeerError is the error text of a server's response. It is free-form: only that
// it is there means anything.
type PeerError struct{ Text string }

func (e *PeerError) Error() string { return "peer error: " + e.Text }

// maxMeshHashes is how many hashes a server gives at once.
const maxMeshHashes = 100

// NewMeshHashRequest asks for hashes from one layer to another, with the step that
// keeps their number within a server's limit (spec 08 §6.7).
func NewMeshHashRequest(from, to wire.LayerID) wire.MeshHashRequest {
	return wire.MeshHashRequest{From: from, To: to, Step: uint32(to-from)/(maxMeshHashes-1) + 1}
}

// MeshHashCount is how many hashes answer a request.
func MeshHashCount(r wire.MeshHashRequest) (int, error) {
	switch {
	case r.Step == 0:
		return 0, fmt.Errorf("%w: step is 0", ErrMeshHashRequest)
	case r.To < r.From:
		return 0, fmt.Errorf("%w: to %s is before from %s", ErrMeshHashRequest, r.To, r.From)
	}
	distance, step := uint64(r.To-r.From), uint64(r.Step)
	count := distance/step + 1
	if distance%step != 0 {
		count++
	}
	if count > maxMeshHashes {
		return 0, fmt.Errorf("%w: %d of at most %d hashes", ErrMeshHashRequest, count, maxMeshHashes)
	}
	return int(count), nil
}

// MeshHashLayers lists the layers whose hashes answer a valid request: every
// step-th, and the last.
func MeshHashLayers(r wire.MeshHashRequest) ([]wire.LayerID, error) {
	count, err := MeshHashCount(r)
	if err != nil {
		return nil, err
	}
	layers := make([]wire.LayerID, count)
	for i := range layers {
		layers[i] = r.From + wire.LayerID(uint32(i)*r.Step)
	}
	layers[count-1] = r.To
	return layers, nil
}
