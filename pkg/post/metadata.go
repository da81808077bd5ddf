package post

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// MetadataFile is the name of a data directory's metadata.
const MetadataFile = "postdata_metadata.json"

// maxMetadataSize bounds what is parsed; real files have some 300 bytes.
const maxMetadataSize = 64 << 10

// ErrMetadata says that a metadata file cannot be understood.
var ErrMetadata = errors.New("post: bad metadata file")

// Metadata describes a data directory (spec 02 §3.2). Scrypt's N is not in it:
// data of another N is noticed by verification only.
type Metadata struct {
	NodeID        wire.NodeID
	CommitmentATX wire.ATXID
	LabelsPerUnit uint64
	NumUnits      uint32
	MaxFileSize   uint64  // bytes
	Nonce         *uint64 // VRF nonce
	NonceValue    []byte  // the first 16 bytes of its label, or nil
	LastPosition  *uint64 // of the search past the data
}

// metadataJSON is the file. Names match in any case, unknown ones are ignored.
type metadataJSON struct {
	NodeId          []byte
	CommitmentAtxId []byte
	LabelsPerUnit   *uint64
	NumUnits        *uint32
	MaxFileSize     *uint64
	Nonce           *uint64   `json:",omitempty"`
	NonceValue      *hexBytes `json:",omitempty"`
	LastPosition    *uint64   `json:",omitempty"`
}

// Encode writes the file: tabs, fields in order, no newline at the end.
func (m *Metadata) Encode() []byte {
	out := metadataJSON{
		NodeId: m.NodeID[:], CommitmentAtxId: m.CommitmentATX[:],
		LabelsPerUnit: &m.LabelsPerUnit, NumUnits: &m.NumUnits, MaxFileSize: &m.MaxFileSize,
		Nonce: m.Nonce, LastPosition: m.LastPosition,
	}
	if len(m.NonceValue) > 0 {
		value := hexBytes(m.NonceValue)
		out.NonceValue = &value
	}
	raw, err := json.MarshalIndent(out, "", "\t")
	if err != nil {
		panic(err) // numbers and bytes always encode
	}
	return raw
}

// ParseMetadata reads a file that any of the known tools wrote. It fails with
// ErrMetadata.
func ParseMetadata(raw []byte) (*Metadata, error) {
	var in metadataJSON
	if len(raw) > maxMetadataSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMetadata, len(raw))
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	switch {
	case len(in.NodeId) != 32:
		return nil, fmt.Errorf("%w: NodeId has %d bytes", ErrMetadata, len(in.NodeId))
	case len(in.CommitmentAtxId) != 32:
		return nil, fmt.Errorf("%w: CommitmentAtxId has %d bytes", ErrMetadata, len(in.CommitmentAtxId))
	case in.LabelsPerUnit == nil || in.NumUnits == nil || in.MaxFileSize == nil:
		return nil, fmt.Errorf("%w: LabelsPerUnit, NumUnits or MaxFileSize is missing", ErrMetadata)
	}
	m := &Metadata{
		NodeID: wire.NodeID(in.NodeId), CommitmentATX: wire.ATXID(in.CommitmentAtxId),
		LabelsPerUnit: *in.LabelsPerUnit, NumUnits: *in.NumUnits, MaxFileSize: *in.MaxFileSize,
		Nonce: in.Nonce, LastPosition: in.LastPosition,
	}
	if in.NonceValue != nil && len(*in.NonceValue) > 0 {
		if len(*in.NonceValue) != LabelSize {
			return nil, fmt.Errorf("%w: NonceValue has %d bytes", ErrMetadata, len(*in.NonceValue))
		}
		m.NonceValue = *in.NonceValue
	}
	return m, nil
}

// hexBytes is how NonceValue is written; everything else is base64.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}
