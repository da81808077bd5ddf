package v1

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// adminService is spec 09 §6.5.
type adminService struct {
	pb.UnimplementedAdminServiceServer
	*api
}

// chunkSize is the most bytes of a checkpoint in one message.
const chunkSize = 1024

// minATXs is the least number of ATXs an identity takes into a checkpoint.
const minATXs = 4

// CheckpointStream makes a checkpoint and sends it.
func (s *adminService) CheckpointStream(in *pb.CheckpointStreamRequest, stream grpc.ServerStreamingServer[pb.CheckpointStreamResponse]) error {
	file, err := s.checkpoint(stream.Context(), wire.LayerID(in.GetSnapshotLayer()), max(minATXs, in.GetNumAtxs()))
	if err != nil {
		return internal("failed to create checkpoint: " + err.Error())
	}
	defer func() { _ = file.Close() }()
	for buffer := make([]byte, chunkSize); ; {
		n, err := io.ReadFull(file, buffer)
		if n > 0 {
			if err := stream.Send(&pb.CheckpointStreamResponse{Data: buffer[:n]}); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return internal("failed to create checkpoint: " + err.Error())
		}
	}
}

// recoverDelay lets the answer get out before the process ends.
const recoverDelay = time.Second

// Recover ends the process; the next start recovers as it is configured to.
// Neither field of the request counts.
func (s *adminService) Recover(context.Context, *pb.RecoverRequest) (*emptypb.Empty, error) {
	if s.Stop == nil {
		return nil, status.Error(codes.FailedPrecondition, "this process does not stop by request: start the node again with the recovery configured")
	}
	time.AfterFunc(recoverDelay, s.Stop)
	return &emptypb.Empty{}, nil
}

// PeerInfoStream lists the connected peers.
func (s *adminService) PeerInfoStream(_ *emptypb.Empty, stream grpc.ServerStreamingServer[pb.PeerInfo]) error {
	peers, err := s.Network.ConnectedPeers(stream.Context())
	if err != nil {
		return node.Failed(err)
	}
	for _, p := range peers {
		if err := stream.Send(p); err != nil {
			return err
		}
	}
	return nil
}

// Metadata of a replayed stream of events (see the package's documentation).
const (
	// FromSequence is a key of the request: the first sequence to send.
	FromSequence = "smeshery-from-sequence"
	// LastSequence is a key of the response's header.
	LastSequence = "smeshery-last-sequence"
	// SequenceField is the number of the field that carries an event's sequence.
	SequenceField = 1000
)

// EventsStream tells the last user events, and then new ones.
func (s *adminService) EventsStream(_ *pb.EventStreamRequest, stream grpc.ServerStreamingServer[pb.Event]) error {
	if from, ok, err := fromSequence(stream.Context()); err != nil {
		return err
	} else if ok {
		return s.replay(from, stream)
	}
	ring, sub := s.Live.SubscribeUsers()
	defer sub.Close()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for _, e := range ring {
		if err := stream.Send(e.Event); err != nil {
			return err
		}
	}
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, "buffer is full")
		}
		if u, ok := e.(live.User); ok {
			if err := stream.Send(u.Event); err != nil {
				return err
			}
		}
	}
}

// fromSequence reads the request's metadata; false if there is no such key.
func fromSequence(ctx context.Context) (uint64, bool, error) {
	values := metadata.ValueFromIncomingContext(ctx, FromSequence)
	if len(values) == 0 {
		return 0, false, nil
	}
	from, err := strconv.ParseUint(values[len(values)-1], 10, 64)
	if err != nil {
		return 0, false, invalid(FromSequence + ": " + err.Error())
	}
	return from, true, nil
}

// replay follows the stream of events at the client's pace: what it does not read
// yet waits in the stream, so that it cannot overflow.
func (s *adminService) replay(from uint64, stream grpc.ServerStreamingServer[pb.Event]) error {
	span, err := bus.SpanOf(stream.Context(), s.Node.Bus, bus.AllEvents())
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	if err := stream.SendHeader(metadata.Pairs(LastSequence, strconv.FormatUint(span.Last, 10))); err != nil {
		return err
	}
	translate := UserEvents(s.Node.DB)
	return bus.Follow(stream.Context(), s.Node.Bus, bus.AllEvents(), from, func(ctx context.Context, d bus.Delivery[bus.Event]) error {
		body, err := events.Decode(d.Message)
		if err != nil || body == nil {
			return nil //nolint:nilerr // an event that is not understood is left out
		}
		told, err := translate(ctx, d.Message, body)
		if err != nil {
			return node.Failed(err)
		}
		for _, e := range told {
			if err := stream.Send(numbered(e, d.Sequence)); err != nil {
				return err
			}
		}
		return nil
	})
}

// numbered adds the sequence to an event, in a field that ordinary clients skip.
func numbered(e *pb.Event, sequence uint64) *pb.Event {
	raw := protowire.AppendTag(nil, SequenceField, protowire.VarintType)
	e.ProtoReflect().SetUnknown(protowire.AppendVarint(raw, sequence))
	return e
}

// Sequence reads what numbered added; 0 if there is none.
func Sequence(e *pb.Event) uint64 {
	for raw := []byte(e.ProtoReflect().GetUnknown()); len(raw) > 0; {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return 0
		}
		if number == SequenceField && kind == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(raw[n:])
			return v
		}
		size := protowire.ConsumeFieldValue(number, kind, raw[n:])
		if size < 0 {
			return 0
		}
		raw = raw[n+size:]
	}
	return 0
}
