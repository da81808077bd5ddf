package fetch

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/peer"
	"github.com/smeshery/smeshery/pkg/wire"
)

// memory is a Store of maps.
type memory struct {
	atxs      map[wire.EpochID][]wire.ATXID
	malicious []wire.NodeID
	ballots   map[wire.LayerID][]wire.BallotID
	hashes    map[wire.LayerID]wire.Hash32
	rows      map[wire.LayerID][]CertificateRow
	blobs     map[wire.Hint]map[wire.Hash32][]byte
	shrink    bool // objects lose a byte between sizing and sending
}

func newMemory() *memory {
	m := &memory{
		atxs: map[wire.EpochID][]wire.ATXID{}, ballots: map[wire.LayerID][]wire.BallotID{},
		hashes: map[wire.LayerID]wire.Hash32{}, rows: map[wire.LayerID][]CertificateRow{},
		blobs: map[wire.Hint]map[wire.Hash32][]byte{},
	}
	for _, h := range []wire.Hint{
		wire.HintATX, wire.HintBallot, wire.HintBlock, wire.HintProposal, wire.HintTX, wire.HintPoet,
		wire.HintMalfeasance, wire.HintActiveSet,
	} {
		m.blobs[h] = map[wire.Hash32][]byte{}
	}
	return m
}

func (m *memory) EpochATXs(e wire.EpochID) ([]wire.ATXID, error)        { return m.atxs[e], nil }
func (m *memory) MaliciousIDs() ([]wire.NodeID, error)                  { return m.malicious, nil }
func (m *memory) Ballots(l wire.LayerID) ([]wire.BallotID, error)       { return m.ballots[l], nil }
func (m *memory) Certificates(l wire.LayerID) ([]CertificateRow, error) { return m.rows[l], nil }

func (m *memory) AggregatedHash(l wire.LayerID) (wire.Hash32, bool, error) {
	h, ok := m.hashes[l]
	return h, ok, nil
}

func (m *memory) BlobSize(hint wire.Hint, key wire.Hash32) (int, error) {
	blobs, ok := m.blobs[hint]
	if !ok {
		return 0, ErrUnknownHint
	}
	return len(blobs[key]), nil
}

func (m *memory) Blob(hint wire.Hint, key wire.Hash32) ([]byte, error) {
	blob := m.blobs[hint][key]
	if m.shrink {
		blob = blob[1:]
	}
	return blob, nil
}

type serverState struct {
	Hashes []struct {
		Hash  vectors.Hex  `json:"hash"`
		Layer wire.LayerID `json:"layer"`
	} `json:"aggregated_hashes"`
	Blobs []struct {
		Blob vectors.Hex `json:"blob"`
		Hint wire.Hint   `json:"hint"`
		Key  vectors.Hex `json:"key"`
	} `json:"blobs"`
	Certificate struct {
		Block   vectors.Hex  `json:"block"`
		Encoded vectors.Hex  `json:"encoded"`
		Layer   wire.LayerID `json:"layer"`
	} `json:"certificate"`
	Epoch     wire.EpochID  `json:"epoch"`
	ATXs      []vectors.Hex `json:"epoch_atx_ids_in_order"`
	Layer     wire.LayerID  `json:"layer"`
	Ballots   []vectors.Hex `json:"layer_ballot_ids_in_order"`
	Malicious []vectors.Hex `json:"malicious_ids_in_order"`
}

func (s *serverState) memory() *memory {
	m := newMemory()
	for _, h := range s.Hashes {
		m.hashes[h.Layer] = wire.Hash32(h.Hash)
	}
	for _, b := range s.Blobs {
		m.blobs[b.Hint][key(wire.RequestMessage{Hint: b.Hint, Hash: wire.Hash32(b.Key)})] = b.Blob
	}
	for _, id := range s.ATXs {
		m.atxs[s.Epoch] = append(m.atxs[s.Epoch], wire.ATXID(id))
	}
	for _, id := range s.Ballots {
		m.ballots[s.Layer] = append(m.ballots[s.Layer], wire.BallotID(id))
	}
	for _, id := range s.Malicious {
		m.malicious = append(m.malicious, wire.NodeID(id))
	}
	c := &s.Certificate
	m.rows[c.Layer] = []CertificateRow{{Block: wire.BlockID(c.Block), Certificate: c.Encoded, Valid: true}}
	return m
}

func TestVectorFetchServer(t *testing.T) {
	store := newMemory()
	vectors.Run(t, "p2p/fetch_server", func(t *testing.T, c struct {
		Name      string       `json:"name"`
		State     *serverState `json:"state"`
		Protocol  string       `json:"protocol"`
		Request   vectors.Hex  `json:"request"`
		Response  vectors.Hex  `json:"response_stream"`
		OK        bool         `json:"handler_ok"`
		Unordered bool         `json:"order_of_items_undefined"`
	},
	) {
		if c.State != nil {
			store = c.State.memory()
			return
		}
		server := Server{Store: store, Streaming: !strings.Contains(c.Name, "buffered")}
		var out bytes.Buffer
		outcome, err := server.Serve(&out, c.Protocol, c.Request)
		require.Equal(t, outcome == Answered, err == nil)
		// A streaming handler has done its part once it has answered anything.
		ok := outcome == Answered || outcome == Refused && server.Streaming && streamed(c.Protocol)
		require.Equal(t, c.OK, ok, "%v", err)
		var want, got wire.ServerResponse
		if len(c.Response) > 0 {
			require.NoError(t, codec.Decode(c.Response, &want))
		}
		switch {
		case want.Error != "":
			require.NoError(t, codec.Decode(out.Bytes(), &got))
			require.Empty(t, got.Data)
			require.NotEmpty(t, got.Error)
		case c.Unordered:
			require.NoError(t, codec.Decode(out.Bytes(), &got))
			require.Empty(t, got.Error)
			var a, b wire.ResponseBatch
			require.NoError(t, codec.Decode(want.Data, &a))
			require.NoError(t, codec.Decode(got.Data, &b))
			require.Equal(t, a.ID, b.ID)
			require.ElementsMatch(t, a.Responses, b.Responses)
		default:
			require.Equal(t, c.Response.String(), vectors.Hex(out.Bytes()).String())
		}
	})
}

func TestVectorFetchClient(t *testing.T) {
	vectors.Run(t, "p2p/fetch_client", func(t *testing.T, c struct {
		Name      string        `json:"name"`
		Kind      string        `json:"kind"`
		Limit     int           `json:"limit"`
		Stream    vectors.Hex   `json:"stream"`
		Outcome   string        `json:"outcome"`
		IDs       []vectors.Hex `json:"ids"`
		Read      int           `json:"bytes_read"`
		PeerError string        `json:"peer_error"`
		Request   vectors.Hex   `json:"request"`
		BatchID   vectors.Hex   `json:"batch_id"`
		Results   []struct {
			Delivered vectors.Hex `json:"delivered_to_validator"`
			Hash      vectors.Hex `json:"hash"`
			Result    string      `json:"result"`
		} `json:"results"`
	},
	) {
		var peerError *PeerError
		if c.Kind == "id_list" {
			ids, read, err := ReadIDs[wire.Hash32](bytes.NewReader(c.Stream), c.Limit)
			switch c.Outcome {
			case "ok":
				require.NoError(t, err)
				require.Equal(t, c.Read, read)
				require.Len(t, ids, len(c.IDs))
				for i, id := range c.IDs {
					require.Equal(t, wire.Hash32(id), ids[i])
				}
			case "peer_error":
				require.ErrorAs(t, err, &peerError)
				require.Equal(t, c.PeerError, err.Error())
			case "malformed":
				require.ErrorIs(t, err, ErrMalformedResponse)
			default:
				t.Fatalf("unknown outcome %q", c.Outcome)
			}
			return
		}
		var request wire.RequestBatch
		require.NoError(t, codec.Decode(c.Request, &request))
		queue := NewQueue(DefaultQueueParams())
		for _, r := range request.Requests {
			queue.Add(r.Hash, r.Hint)
		}
		batches, failed := queue.Flush(func(wire.Hash32) (peer.ID, bool) { return "peer", true })
		require.Empty(t, failed)
		require.Len(t, batches, 1)
		require.Equal(t, wire.Hash32(c.BatchID), batches[0].Request.ID)
		require.Equal(t, []byte(c.Request), codec.MustEncode(&batches[0].Request))

		results := map[wire.Hash32]string{}
		delivered := map[wire.Hash32][]byte{}
		items, err := ReadBatch(bytes.NewReader(c.Stream), &batches[0].Request)
		require.Equal(t, c.Outcome == "ok", err == nil, "%v", err)
		require.Equal(t, c.PeerError != "", errors.As(err, &peerError))
		if err != nil {
			for _, hash := range queue.Fail(&batches[0]) {
				results[hash] = "failed"
			}
		} else {
			received := queue.Receive(&batches[0], items, func(wire.Hash32) bool { return false })
			require.Empty(t, received.Failed)
			for _, hash := range received.Requeued {
				results[hash] = "requeued"
			}
			for _, d := range received.Deliver {
				delivered[d.Hash] = d.Data
				results[d.Hash] = "done"
				if c.Name == "one item rejected" && d.Hash == request.Requests[1].Hash {
					results[d.Hash] = "rejected_by_validator"
				}
				queue.Finish(d.Hash)
			}
		}
		require.Len(t, results, len(c.Results))
		waiting := 0
		for _, r := range c.Results {
			require.Equal(t, r.Result, results[wire.Hash32(r.Hash)])
			require.Equal(t, []byte(r.Delivered), delivered[wire.Hash32(r.Hash)])
			if r.Result == "requeued" {
				waiting++
			}
		}
		require.Equal(t, waiting, queue.Len())
	})
}

type wireValue struct {
	Hint      wire.Hint    `json:"hint"`
	Hash      vectors.Hex  `json:"hash"`
	Data      vectors.Hex  `json:"data"`
	ID        vectors.Hex  `json:"id"`
	Requests  []wireValue  `json:"requests"`
	Responses []wireValue  `json:"responses"`
	From      wire.LayerID `json:"from"`
	To        wire.LayerID `json:"to"`
	Step      uint32       `json:"step"`
	Count     int          `json:"count"`
	Valid     bool         `json:"valid"`

	Hashes    []vectors.Hex `json:"hashes"`
	NodeIDs   []vectors.Hex `json:"node_ids"`
	ATXs      []vectors.Hex `json:"atx_ids"`
	Ballots   []vectors.Hex `json:"ballots"`
	Layer     wire.LayerID  `json:"layer"`
	Epoch     wire.EpochID  `json:"epoch"`
	Block     vectors.Hex   `json:"block"`
	Hash0     vectors.Hex   `json:"prev_agg_hash"`
	Certified vectors.Hex   `json:"certified"`
}

func hashes[T ~[32]byte](list []vectors.Hex) (out []T) {
	for _, h := range list {
		out = append(out, T(h))
	}
	return out
}

func block(h vectors.Hex) *wire.BlockID {
	if h == nil {
		return nil
	}
	id := wire.BlockID(h)
	return &id
}

func (v *wireValue) request() wire.RequestMessage {
	return wire.RequestMessage{Hint: v.Hint, Hash: wire.Hash32(v.Hash)}
}

func (v *wireValue) response() wire.ResponseMessage {
	m := wire.ResponseMessage{Hash: wire.Hash32(v.Hash)}
	if len(v.Data) > 0 {
		m.Data = v.Data
	}
	return m
}

// coded makes the value of a type, and an empty one to decode into.
func (v *wireValue) coded(t *testing.T, kind string, filled bool) (value, empty codec.Coded) {
	t.Helper()
	if !filled {
		v = &wireValue{Hash: make([]byte, 32), ID: make([]byte, 32), Hash0: make([]byte, 32)}
	}
	switch kind {
	case "RequestMessage":
		m := v.request()
		return &m, new(wire.RequestMessage)
	case "ResponseMessage":
		m := v.response()
		return &m, new(wire.ResponseMessage)
	case "RequestBatch":
		b := &wire.RequestBatch{ID: wire.Hash32(v.ID)}
		for i := range v.Requests {
			b.Requests = append(b.Requests, v.Requests[i].request())
		}
		return b, new(wire.RequestBatch)
	case "ResponseBatch":
		b := &wire.ResponseBatch{ID: wire.Hash32(v.ID)}
		for i := range v.Responses {
			b.Responses = append(b.Responses, v.Responses[i].response())
		}
		return b, new(wire.ResponseBatch)
	case "MeshHashRequest":
		return &wire.MeshHashRequest{From: v.From, To: v.To, Step: v.Step}, new(wire.MeshHashRequest)
	case "MeshHashes":
		return &wire.MeshHashes{Hashes: hashes[wire.Hash32](v.Hashes)}, new(wire.MeshHashes)
	case "MaliciousIDs":
		return &wire.MaliciousIDs{NodeIDs: hashes[wire.NodeID](v.NodeIDs)}, new(wire.MaliciousIDs)
	case "EpochData":
		return &wire.EpochATXs{AtxIDs: hashes[wire.ATXID](v.ATXs)}, new(wire.EpochATXs)
	case "LayerData":
		d := &wire.LayerData{}
		for _, b := range v.Ballots {
			d.Ballots = append(d.Ballots, wire.BallotID(b))
		}
		return d, new(wire.LayerData)
	case "LayerID":
		return &v.Layer, new(wire.LayerID)
	case "EpochID":
		return &v.Epoch, new(wire.EpochID)
	case "OpinionRequest":
		return &wire.OpinionRequest{Layer: v.Layer, Block: block(v.Block)}, new(wire.OpinionRequest)
	case "LayerOpinion":
		return &wire.LayerOpinion{PrevAggHash: wire.Hash32(v.Hash0), Certified: block(v.Certified)}, new(wire.LayerOpinion)
	}
	t.Fatalf("unknown type %q", kind)
	return nil, nil
}

func TestVectorFetchWire(t *testing.T) {
	vectors.Run(t, "p2p/fetch_wire", func(t *testing.T, c struct {
		Name     string      `json:"name"`
		Type     string      `json:"type"`
		Encoded  vectors.Hex `json:"encoded"`
		Value    *wireValue  `json:"value"`
		Preimage vectors.Hex `json:"id_preimage"`
		Class    *string     `json:"error_class"`
	},
	) {
		value, empty := c.Value.coded(t, c.Type, c.Value != nil)
		err := codec.Decode(c.Encoded, empty)
		if c.Value == nil {
			require.Equal(t, c.Class, class(err), "%v", err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, value, empty)
		require.Equal(t, []byte(c.Encoded), codec.MustEncode(value))
		switch v := value.(type) {
		case *wire.RequestBatch:
			require.Equal(t, v.ID, v.BatchID())
			require.Equal(t, v.ID, wire.Sum(c.Preimage))
		case *wire.MeshHashRequest:
			count, err := MeshHashCount(*v)
			require.Equal(t, c.Value.Valid, err == nil)
			if c.Value.Valid {
				require.Equal(t, c.Value.Count, count)
			}
			if !strings.HasPrefix(c.Name, "explicit") {
				require.Equal(t, *v, NewMeshHashRequest(v.From, v.To))
			}
		}
	})
}

func class(err error) *string {
	var name string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, codec.ErrEOF):
		name = "eof"
	case errors.Is(err, codec.ErrTrailingBytes):
		name = "trailing_bytes"
	default:
		name = "invalid"
	}
	return &name
}

// Upstream nodes end over these requests (spec 08 §17).
func TestServerAnswersWhatUpstreamDiesOf(t *testing.T) {
	store := newMemory()
	store.rows[9] = []CertificateRow{{Block: wire.BlockID{7}, Valid: true}}
	server := Server{Store: store, Streaming: true}
	for _, request := range []wire.OpinionRequest{{Layer: 0}, {Layer: 9, Block: &wire.BlockID{7}}} {
		var out bytes.Buffer
		outcome, err := server.Serve(&out, Opinions, codec.MustEncode(&request))
		require.Equal(t, Refused, outcome)
		require.Error(t, err)
		var response wire.ServerResponse
		require.NoError(t, codec.Decode(out.Bytes(), &response))
		require.NotEmpty(t, response.Error)
	}
	var out bytes.Buffer
	outcome, err := server.Serve(&out, Opinions, codec.MustEncode(&wire.OpinionRequest{Layer: 9}))
	require.NoError(t, err)
	require.Equal(t, Answered, outcome)
	var opinion wire.LayerOpinion
	require.NoError(t, codec.Decode(out.Bytes()[1:34], &opinion))
	require.Nil(t, opinion.Certified, "a row without certificate certifies nothing")
}

func TestServerEndsTheStreamWhenAnObjectChanges(t *testing.T) {
	store := newMemory()
	store.shrink = true
	store.blobs[wire.HintTX][wire.Hash32{1}] = []byte("transaction")
	batch := wire.RequestBatch{Requests: []wire.RequestMessage{{Hint: wire.HintTX, Hash: wire.Hash32{1}}}}
	var out bytes.Buffer
	outcome, err := (&Server{Store: store, Streaming: true}).Serve(&out, ByHash, codec.MustEncode(&batch))
	require.Error(t, err)
	require.Equal(t, Dropped, outcome)
	_, err = ReadBatch(&out, &batch)
	require.ErrorIs(t, err, ErrMalformedResponse)
}

func TestErrorTextFitsTheResponse(t *testing.T) {
	var out bytes.Buffer
	outcome, _ := (&Server{Store: newMemory(), Streaming: true}).Serve(&out, strings.Repeat("x", 5000), nil)
	require.Equal(t, Refused, outcome)
	var response wire.ServerResponse
	require.NoError(t, codec.Decode(out.Bytes(), &response))
	require.Len(t, response.Error, wire.MaxResponseError)
}

func TestQueueBatchesByPeerAndRetries(t *testing.T) {
	q := NewQueue(QueueParams{Size: 20, BatchSize: 10, MaxRetries: 2})
	for i := range 25 {
		flush := q.Add(wire.Hash32{byte(i)}, wire.HintATX)
		require.Equal(t, i >= 19, flush)
		q.Add(wire.Hash32{byte(i)}, wire.HintTX) // shares the request
	}
	q.Add(wire.Hash32{100}, wire.HintActiveSet)
	q.Add(wire.Hash32{200}, wire.HintATX)
	target := func(h wire.Hash32) (peer.ID, bool) {
		return map[bool]peer.ID{true: "even", false: "odd"}[h[0]%2 == 0], h[0] != 200
	}
	batches, failed := q.Flush(target)
	require.Equal(t, []wire.Hash32{{200}}, failed)
	var sizes []int
	for _, b := range batches {
		sizes = append(sizes, len(b.Request.Requests))
		require.Equal(t, b.Request.ID, b.Request.BatchID())
	}
	require.Equal(t, []int{10, 10, 3, 2, 1}, sizes)
	require.Equal(t, []string{ActiveSet, ByHash}, batches[4].Protocols)
	stored := func(h wire.Hash32) bool { return h == wire.Hash32{3} }
	received := q.Receive(&batches[1], nil, stored)
	require.Equal(t, []wire.Hash32{{3}}, received.Done)
	require.Len(t, received.Requeued, 9)
	for range 2 {
		batches, _ = q.Flush(target)
		require.Len(t, batches, 1)
		received = q.Receive(&batches[0], nil, stored)
	}
	require.Len(t, received.Failed, 9)
	require.Empty(t, received.Requeued)
}

func FuzzServe(f *testing.F) {
	f.Add(uint8(0), []byte{4})
	f.Add(uint8(5), codec.MustEncode(&wire.RequestBatch{Requests: []wire.RequestMessage{{Hint: wire.HintTX}}}))
	store := newMemory()
	store.blobs[wire.HintTX][wire.Hash32{}] = []byte("x")
	protocols := []string{EpochInfo, LayerBallots, MeshHashes, Malicious, Opinions, ByHash, ActiveSet}
	f.Fuzz(func(t *testing.T, protocol uint8, request []byte) {
		for _, streaming := range []bool{true, false} {
			var out bytes.Buffer
			outcome, err := (&Server{Store: store, Streaming: streaming}).Serve(&out, protocols[int(protocol)%len(protocols)], request)
			require.Equal(t, outcome == Answered, err == nil)
			if outcome == Dropped {
				require.Empty(t, out.Bytes())
				continue
			}
			require.NoError(t, codec.Decode(out.Bytes(), new(wire.ServerResponse)))
		}
	})
}

func FuzzReadIDs(f *testing.F) {
	f.Add([]byte{4, 0, 0})
	f.Add(append(append([]byte{0x84, 4}, make([]byte, 32)...), 0))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ids, read, err := ReadIDs[wire.Hash32](bytes.NewReader(raw), 100)
		require.LessOrEqual(t, read, len(raw))
		if err != nil {
			return
		}
		var out bytes.Buffer
		require.NoError(t, writeIDs(&response{w: &out}, ids))
		require.Equal(t, raw[:read], out.Bytes())
	})
}

// FuzzReadBatch compares with decoding the whole response at once.
func FuzzReadBatch(f *testing.F) {
	batch := wire.RequestBatch{Requests: []wire.RequestMessage{{Hint: wire.HintTX}, {Hint: wire.HintTX, Hash: wire.Hash32{1}}}}
	answer := wire.ResponseBatch{Responses: []wire.ResponseMessage{{Data: []byte("abc")}, {Hash: wire.Hash32{9}, Data: []byte("z")}}}
	f.Add(codec.MustEncode(&wire.ServerResponse{Data: codec.MustEncode(&answer)}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		items, err := ReadBatch(bytes.NewReader(raw), &batch)
		var whole wire.ServerResponse
		_, failed := codec.DecodePrefix(raw, &whole)
		var all wire.ResponseBatch
		if failed == nil {
			failed = codec.Decode(whole.Data, &all)
		}
		sound := failed == nil && whole.Error == "" && all.ID == batch.ID
		require.Equal(t, sound, err == nil, "%v, %v", err, failed)
		for _, item := range items {
			at := slices.IndexFunc(all.Responses, func(r wire.ResponseMessage) bool { return r.Hash == item.Hash })
			require.True(t, bytes.Equal(all.Responses[at].Data, item.Data))
		}
	})
}

func BenchmarkServeEpochInfo(b *testing.B) {
	store := newMemory()
	store.atxs[3] = make([]wire.ATXID, 100_000)
	request := codec.MustEncode(new(wire.EpochID(3)))
	b.SetBytes(32 * 100_000)
	b.ReportAllocs()
	var out bytes.Buffer
	out.Grow(4 << 20)
	for b.Loop() {
		out.Reset()
		_, _ = (&Server{Store: store, Streaming: true}).Serve(&out, EpochInfo, request)
	}
}
