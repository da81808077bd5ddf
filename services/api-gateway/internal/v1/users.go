package v1

import (
	"context"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
)

// Texts for people, the same for every event of a kind (spec 09 §8).
const (
	helpBeacon         = "Node computed randomness beacon, which will be used to determine consensus eligibility."
	helpInitStart      = "Node started PoST data initialization. Initialization will not be performed again if already completed."
	helpInitComplete   = "Node successfully completed PoST data initialization."
	helpInitFailed     = "Node failed PoST data initialization."
	helpServiceStarted = "Node started local PoST service."
	helpServiceStopped = "Node stopped local PoST service."
	helpPostStart      = "Node started PoST execution using the challenge from PoET."
	helpPostComplete   = "Node finished PoST execution using PoET challenge."
	helpPostFailed     = "Node failed PoST execution."
	helpPostInvalid    = "Node generated invalid POST proof. Please verify your POST data."
	helpWaitRound      = "Node is waiting for PoET registration window in current epoch to open. " +
		"After this it will submit challenge and wait until PoET round ends in publish epoch."
	helpRegistered = "Registered in PoET."
	helpWaitProof  = "Node is waiting for PoET to complete. After it's complete, the node will fetch the PoET proof, " +
		"generate a PoST proof, and finally publish an ATX to establish eligibility for rewards in the target epoch."
	helpDownloaded   = "Downloaded proof from PoET."
	helpBestProof    = "Best PoET proof selected."
	helpPublished    = "Node published activation for the current epoch. It now needs to wait until the target epoch when it will be eligible for rewards."
	helpEligibilites = "Node computed eligibilities for the epoch. Rewards will be received after successfully publishing proposals at specified layers. " +
		"The rewards actually received will be based on the number of other participants in each layer."
	helpProposal    = "Node published proposal. Rewards will be received once proposal is included in the block."
	helpMalfeasance = "Node committed malicious behavior. Identity will be canceled."
)

// UserEvents translates events for AdminService.EventsStream (spec 09 §8); db is
// read for proofs against own identities.
func UserEvents(db store.Querier) live.Translate {
	return func(ctx context.Context, e bus.Event, body events.Body) ([]*pb.Event, error) {
		var out []*pb.Event
		switch b := body.(type) {
		case *events.OwnMalfeasance:
			told, err := ownMalfeasance(ctx, db, b.Node)
			if err != nil {
				return nil, err
			}
			out = told
		case *events.PoetWaitRound, *events.PoetRegistered, *events.PoetWaitProof, *events.PoetProofDownloaded, *events.PoetBestProof:
			out = poetEvents(b)
		case *events.InitStart, *events.InitComplete, *events.InitFailed, *events.PostServiceStarted, *events.PostServiceStopped,
			*events.PostStart, *events.PostComplete:
			out = postEvents(b)
		default:
			out = consensusEvents(body)
		}
		for _, told := range out {
			told.Timestamp = timestamppb.New(e.At)
		}
		return out, nil
	}
}

func ownMalfeasance(ctx context.Context, db store.Querier, node wire.NodeID) ([]*pb.Event, error) {
	proofs, err := activation.ProofsOf(ctx, db, []wire.NodeID{node})
	if err != nil {
		return nil, err
	}
	proof := &pb.MalfeasanceProof{}
	if len(proofs) > 0 {
		proof = evidence(node, proofs[0].Proof, false)
	}
	return one(helpMalfeasance, &pb.Event_Malfeasance{Malfeasance: &pb.EventMalfeasance{Proof: proof}}), nil
}

func one(help string, details pb.IsEventDetails) []*pb.Event {
	return []*pb.Event{{Help: help, Details: details}}
}

func failure(help string, details pb.IsEventDetails) []*pb.Event {
	return []*pb.Event{{Failure: true, Help: help, Details: details}}
}

func until(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

func postEvents(body events.Body) []*pb.Event {
	switch b := body.(type) {
	case *events.InitStart:
		return one(helpInitStart, &pb.Event_InitStart{InitStart: &pb.EventInitStart{Smesher: b.Node[:], Commitment: b.Commitment[:]}})
	case *events.InitComplete:
		return one(helpInitComplete, &pb.Event_InitComplete{InitComplete: &pb.EventInitComplete{Smesher: b.Node[:]}})
	case *events.InitFailed:
		return failure(helpInitFailed, &pb.Event_InitFailed{InitFailed: &pb.EventInitFailed{
			Smesher: b.Node[:], Commitment: b.Commitment[:], Error: b.Error,
		}})
	case *events.PostServiceStarted:
		return one(helpServiceStarted, &pb.Event_PostServiceStarted{PostServiceStarted: &pb.EventPostServiceStarted{}})
	case *events.PostServiceStopped:
		return one(helpServiceStopped, &pb.Event_PostServiceStopped{PostServiceStopped: &pb.EventPostServiceStopped{}})
	case *events.PostStart:
		return one(helpPostStart, &pb.Event_PostStart{PostStart: &pb.EventPostStart{Smesher: b.Node[:], Challenge: b.Challenge[:]}})
	case *events.PostComplete:
		return postComplete(b)
	}
	return nil
}

func postComplete(b *events.PostComplete) []*pb.Event {
	details := &pb.EventPostComplete{Smesher: b.Node[:]}
	switch {
	case b.Invalid:
		return failure(helpPostInvalid, &pb.Event_PostComplete{PostComplete: details})
	case b.Failed:
		return failure(helpPostFailed, &pb.Event_PostComplete{PostComplete: details})
	}
	details.Challenge = b.Challenge[:]
	return one(helpPostComplete, &pb.Event_PostComplete{PostComplete: details})
}

// poetEvents has old events beside those that replace them.
func poetEvents(body events.Body) []*pb.Event {
	switch b := body.(type) {
	case *events.PoetWaitRound:
		return append(one(helpWaitRound, &pb.Event_PoetWaitRound{PoetWaitRound: &pb.EventPoetWaitRound{ //nolint:staticcheck // old clients read it
			Current: uint32(b.Current), Publish: uint32(b.Publish), Wait: durationpb.New(b.Wait), Until: until(b.Until), Smesher: b.Node[:],
		}}), one(helpWaitRound, &pb.Event_WaitingForPoetRegistrationWindow{
			WaitingForPoetRegistrationWindow: &pb.EventWaitingForPoETRegistrationWindow{
				Current: uint32(b.Current), Publish: uint32(b.Publish), RoundEnd: until(b.Until), Smesher: b.Node[:],
			},
		})...)
	case *events.PoetRegistered:
		return one(helpRegistered, &pb.Event_RegisteredInPoet{RegisteredInPoet: &pb.EventRegisteredInPoet{
			Url: b.URL, Smesher: b.Node[:], RoundId: b.Round,
		}})
	case *events.PoetWaitProof:
		return append(one(helpWaitProof, &pb.Event_PoetWaitProof{PoetWaitProof: &pb.EventPoetWaitProof{ //nolint:staticcheck // old clients read it
			Publish: uint32(b.Publish), Target: uint32(b.Target), Wait: durationpb.New(b.Wait), Until: until(b.Until), Smesher: b.Node[:],
		}}), one(helpWaitProof, &pb.Event_WaitingForPoetRoundEnd{WaitingForPoetRoundEnd: &pb.EventWaitingForPoETRoundEnd{
			Publish: uint32(b.Publish), Target: uint32(b.Target), RoundEnd: until(b.Until), Smesher: b.Node[:],
		}})...)
	case *events.PoetProofDownloaded:
		return one(helpDownloaded, &pb.Event_ProofDownloadedFromPoet{ProofDownloadedFromPoet: &pb.EventProofDownloadedFromPoet{
			Url: b.URL, RoundId: b.Round, Ticks: b.Ticks,
		}})
	case *events.PoetBestProof:
		return one(helpBestProof, &pb.Event_BestProofSelected{BestProofSelected: &pb.EventBestProofSelected{
			Url: b.URL, RoundId: b.Round, Ticks: b.Ticks, Smesher: b.Node[:],
		}})
	}
	return nil
}

func consensusEvents(body events.Body) []*pb.Event {
	switch b := body.(type) {
	case *events.ATXPublished:
		return one(helpPublished, &pb.Event_AtxPublished{AtxPublished: &pb.EventAtxPubished{
			Current: uint32(b.Publish), Target: uint32(b.Publish) + 1, Id: b.ID[:],
			Wait: durationpb.New(b.Wait), Until: until(b.Until), Smesher: b.Node[:],
		}})
	case *events.Beacon:
		return one(helpBeacon, &pb.Event_Beacon{Beacon: &pb.EventBeacon{Epoch: uint32(b.Epoch), Beacon: b.Beacon[:]}})
	case *events.Eligibilities:
		details := &pb.EventEligibilities{
			Epoch: uint32(b.Epoch), Beacon: b.Beacon[:], Atx: b.ATX[:], ActiveSetSize: b.ActiveSetSize, Smesher: b.Node[:],
		}
		for _, slot := range b.Slots {
			details.Eligibilities = append(details.Eligibilities, &pb.ProposalEligibility{Layer: uint32(slot.Layer), Count: slot.Count})
		}
		return one(helpEligibilites, &pb.Event_Eligibilities{Eligibilities: details})
	case *events.Proposal:
		if b.Status == events.ProposalCreated {
			return one(helpProposal, &pb.Event_Proposal{Proposal: &pb.EventProposal{
				Layer: uint32(b.Layer), Proposal: b.ID[:], Smesher: b.Node[:],
			}})
		}
	}
	return nil
}
