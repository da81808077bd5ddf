package fetch

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// CertificateRow is what a node knows of a block's certificate in a layer.
type CertificateRow struct {
	Block wire.BlockID
	// Certificate is nil for hare's own output and for what pruning dropped.
	Certificate []byte
	Valid       bool
}

// Store is what a server serves. Absence is no error but where it says so.
type Store interface {
	EpochATXs(publish wire.EpochID) ([]wire.ATXID, error)
	MaliciousIDs() ([]wire.NodeID, error)
	Ballots(layer wire.LayerID) ([]wire.BallotID, error)
	// AggregatedHash is the hash up to and including the layer.
	AggregatedHash(layer wire.LayerID) (hash wire.Hash32, ok bool, err error)
	Certificates(layer wire.LayerID) ([]CertificateRow, error)
	// BlobSize is 0 for what is absent or has no bytes; ErrUnknownHint for a hint
	// that names no kind of object.
	BlobSize(hint wire.Hint, key wire.Hash32) (int, error)
	// Blob is the object's bytes as they arrived; ErrNotFound if it has gone.
	Blob(hint wire.Hint, key wire.Hash32) ([]byte, error)
}

// Outcome is what became of a request.
type Outcome uint8

// Outcomes.
const (
	Dropped  Outcome = iota // the stream has to be closed, without or within a response
	Refused                 // an error response was written
	Answered                // the data was written
)

// Server answers requests. In streaming mode, the default, large responses are
// written piece by piece.
type Server struct {
	Store     Store
	Streaming bool
}

// errUndecodable is a request that a streaming server does not answer.
var errUndecodable = errors.New("undecodable request")

// Serve writes the response to a request of a protocol. The error tells why it was
// not answered; the peer sees only a short text.
func (s *Server) Serve(w io.Writer, protocol string, request []byte) (Outcome, error) {
	r := &response{w: w}
	err := s.serve(r, protocol, request)
	switch {
	case err == nil:
		return Answered, nil
	case r.started, errors.Is(err, errUndecodable) && s.Streaming && streamed(protocol):
		return Dropped, err
	}
	if e := r.refuse(err); e != nil {
		return Dropped, errors.Join(err, e)
	}
	return Refused, err
}

func streamed(protocol string) bool { return protocol != LayerBallots && protocol != Opinions }

func (s *Server) serve(r *response, protocol string, request []byte) error {
	switch protocol {
	case EpochInfo:
		return s.epochInfo(r, request)
	case Malicious:
		ids, err := s.Store.MaliciousIDs()
		if err != nil {
			return fmt.Errorf("malicious ids: %w", err)
		}
		return writeIDs(r, ids)
	case MeshHashes:
		return s.meshHashes(r, request)
	case LayerBallots:
		return s.layerBallots(r, request)
	case Opinions:
		return s.opinion(r, request)
	case ByHash, ActiveSet:
		return s.batch(r, request, protocol == ActiveSet)
	}
	return fmt.Errorf("unknown protocol %q", protocol)
}

func decode(request []byte, v codec.Coded) error {
	if err := codec.Decode(request, v); err != nil {
		return fmt.Errorf("%w: %w", errUndecodable, err)
	}
	return nil
}

func (s *Server) epochInfo(r *response, request []byte) error {
	var epoch wire.EpochID
	if err := decode(request, &epoch); err != nil {
		return err
	}
	ids, err := s.Store.EpochATXs(epoch)
	if err != nil {
		return fmt.Errorf("atxs of epoch %s: %w", epoch, err)
	}
	return writeIDs(r, ids)
}

func (s *Server) meshHashes(r *response, request []byte) error {
	var m wire.MeshHashRequest
	if err := decode(request, &m); err != nil {
		return err
	}
	layers, err := MeshHashLayers(m)
	if err != nil {
		return err
	}
	hashes := make([]wire.Hash32, len(layers))
	for i, layer := range layers {
		hash, ok, err := s.Store.AggregatedHash(layer)
		if err != nil {
			return fmt.Errorf("aggregated hash of layer %s: %w", layer, err)
		}
		if !ok {
			return fmt.Errorf("%w: aggregated hash of layer %s", ErrNotFound, layer)
		}
		hashes[i] = hash
	}
	return writeIDs(r, hashes)
}

func (s *Server) layerBallots(r *response, request []byte) error {
	var layer wire.LayerID
	if err := decode(request, &layer); err != nil {
		return err
	}
	ballots, err := s.Store.Ballots(layer)
	if err != nil {
		return fmt.Errorf("ballots of layer %s: %w", layer, err)
	}
	data, err := codec.Encode(&wire.LayerData{Ballots: ballots})
	if err != nil {
		return fmt.Errorf("ballots of layer %s: %w", layer, err)
	}
	return r.whole(data)
}

func (s *Server) opinion(r *response, request []byte) error {
	var o wire.OpinionRequest
	if err := decode(request, &o); err != nil {
		return err
	}
	if o.Block != nil {
		return s.certificate(r, o.Layer, *o.Block)
	}
	if o.Layer == 0 {
		return errors.New("layer 0 has no layer before it")
	}
	var opinion wire.LayerOpinion
	hash, ok, err := s.Store.AggregatedHash(o.Layer - 1)
	if err != nil {
		return fmt.Errorf("aggregated hash of layer %s: %w", o.Layer-1, err)
	}
	if ok {
		opinion.PrevAggHash = hash
	}
	rows, err := s.Store.Certificates(o.Layer)
	if err != nil {
		return fmt.Errorf("certificates of layer %s: %w", o.Layer, err)
	}
	certified := slices.IndexFunc(rows, func(c CertificateRow) bool { return c.Valid && c.Certificate != nil })
	if certified >= 0 {
		opinion.Certified = &rows[certified].Block
	}
	return r.whole(codec.MustEncode(&opinion))
}

// certificate answers with empty data when only other blocks have rows.
func (s *Server) certificate(r *response, layer wire.LayerID, block wire.BlockID) error {
	rows, err := s.Store.Certificates(layer)
	if err != nil {
		return fmt.Errorf("certificates of layer %s: %w", layer, err)
	}
	if len(rows) == 0 {
		return fmt.Errorf("%w: certificate in layer %s", ErrNotFound, layer)
	}
	for _, row := range rows {
		if row.Block != block {
			continue
		}
		if row.Certificate == nil {
			return fmt.Errorf("%w: certificate of block %s", ErrNotFound, block)
		}
		return r.whole(row.Certificate)
	}
	return r.whole(nil)
}
