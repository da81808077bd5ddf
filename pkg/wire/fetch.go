package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §16.
const (
	MaxHint          = 256
	MaxResponseData  = 272_629_760
	MaxBatchRequests = 100
	MaxMeshHashes    = 1_000
	MaxLayerBallots  = 2_350
	MaxResponseError = 1_024
)

// Hint names the kind of object that a request means.
type Hint string

// Hints of spec 01 §16.
const (
	HintBallot      Hint = "ballotDB"
	HintBlock       Hint = "blocksDB"
	HintProposal    Hint = "proposalDB"
	HintATX         Hint = "ATXDB"
	HintTX          Hint = "TXDB"
	HintPoet        Hint = "POETDB"
	HintMalfeasance Hint = "malfeasance"
	HintActiveSet   Hint = "activeset"
)

// RequestMessage asks for one object.
type RequestMessage struct {
	Hint Hint
	Hash Hash32
}

// Code is spec 01 §16.
func (m *RequestMessage) Code(c *codec.Coder) {
	c.String((*string)(&m.Hint), MaxHint)
	c.Fixed(m.Hash[:])
}

// ResponseMessage carries one object.
type ResponseMessage struct {
	Hash Hash32
	Data []byte
}

// Code is spec 01 §16.
func (m *ResponseMessage) Code(c *codec.Coder) {
	c.Fixed(m.Hash[:])
	c.Bytes(&m.Data, MaxResponseData)
}

// RequestBatch asks for up to 100 objects.
type RequestBatch struct {
	ID       Hash32
	Requests []RequestMessage
}

// Code is spec 01 §16.
func (b *RequestBatch) Code(c *codec.Coder) {
	c.Fixed(b.ID[:])
	codec.List(c, &b.Requests, MaxBatchRequests)
}

// BatchID is the ID that the requests must carry.
func (b *RequestBatch) BatchID() Hash32 {
	raw, err := codec.AppendSlice(nil, func(c *codec.Coder) { codec.List(c, &b.Requests, MaxBatchRequests) })
	if err != nil {
		panic(err) // more requests than a batch may have, which decoding excludes
	}
	return Sum(raw)
}

// ResponseBatch answers a RequestBatch of the same ID.
type ResponseBatch struct {
	ID        Hash32
	Responses []ResponseMessage
}

// Code is spec 01 §16.
func (b *ResponseBatch) Code(c *codec.Coder) {
	c.Fixed(b.ID[:])
	codec.List(c, &b.Responses, MaxBatchRequests)
}

// MeshHashRequest asks for aggregated hashes of layers From, From+Step … To.
type MeshHashRequest struct {
	From, To LayerID
	Step     uint32
}

// Code is spec 01 §16.
func (r *MeshHashRequest) Code(c *codec.Coder) {
	r.From.Code(c)
	r.To.Code(c)
	c.Compact32(&r.Step)
}

// The list-shaped answers.
type (
	// MeshHashes answers a MeshHashRequest.
	MeshHashes struct{ Hashes []Hash32 }
	// MaliciousIDs lists all identities known to be malicious.
	MaliciousIDs struct{ NodeIDs []NodeID }
	// EpochATXs lists the ATXs published in an epoch; fetch calls it EpochData.
	EpochATXs struct{ AtxIDs []ATXID }
	// LayerData lists the ballots of a layer.
	LayerData struct{ Ballots []BallotID }
)

// Code is spec 01 §16.
func (m *MeshHashes) Code(c *codec.Coder) { codec.FixedList(c, &m.Hashes, MaxMeshHashes) }

// Code is spec 01 §16.
func (m *MaliciousIDs) Code(c *codec.Coder) { codec.FixedList(c, &m.NodeIDs, MaxActiveSet) }

// Code is spec 01 §16.
func (m *EpochATXs) Code(c *codec.Coder) { codec.FixedList(c, &m.AtxIDs, MaxActiveSet) }

// Code is spec 01 §16.
func (m *LayerData) Code(c *codec.Coder) { codec.FixedList(c, &m.Ballots, MaxLayerBallots) }

// OpinionRequest asks what a peer thinks of a layer.
type OpinionRequest struct {
	Layer LayerID
	Block *BlockID
}

// Code is spec 01 §16.
func (r *OpinionRequest) Code(c *codec.Coder) {
	r.Layer.Code(c)
	codec.OptionFixed(c, &r.Block)
}

// LayerOpinion answers an OpinionRequest.
type LayerOpinion struct {
	PrevAggHash Hash32
	Certified   *BlockID
}

// Code is spec 01 §16.
func (o *LayerOpinion) Code(c *codec.Coder) {
	c.Fixed(o.PrevAggHash[:])
	codec.OptionFixed(c, &o.Certified)
}

// ServerResponse wraps every answer to a request.
type ServerResponse struct {
	Data  []byte
	Error string
}

// Code is spec 01 §16.
func (r *ServerResponse) Code(c *codec.Coder) {
	c.Bytes(&r.Data, MaxResponseData)
	c.String(&r.Error, MaxResponseError)
}

// PeerTimeRequest asks a peer for its clock.
type PeerTimeRequest struct{ ID uint64 }

// Code is spec 01 §16.
func (r *PeerTimeRequest) Code(c *codec.Coder) { c.Compact64(&r.ID) }

// PeerTimeResponse answers with nanoseconds since 1970.
type PeerTimeResponse struct{ ID, Timestamp uint64 }

// Code is spec 01 §16.
func (r *PeerTimeResponse) Code(c *codec.Coder) {
	c.Compact64(&r.ID)
	c.Compact64(&r.Timestamp)
}
