package v1

import (
	"context"
	"errors"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
)

// bufferText is what a stream of several kinds says when one overflows.
func bufferText(err error) string {
	var full *live.Overflow
	if !errors.As(err, &full) {
		return ""
	}
	switch full.Kind {
	case live.KindTransactions:
		return "tx buffer is full"
	case live.KindLayers:
		return "layer buffer is full"
	case live.KindAccounts:
		return "account buffer is full"
	case live.KindRewards:
		return "rewards buffer is full"
	case live.KindActivations:
		return "activations buffer is full"
	}
	return "buffer is full"
}

// AccountDataStream tells changes of an account, and its rewards.
func (s *globalService) AccountDataStream(in *pb.AccountDataStreamRequest, stream grpc.ServerStreamingServer[pb.AccountDataStreamResponse]) error {
	account, flags, err := s.dataFilter(in.GetFilter(), "in.Filter.AccountId.Address", "`Filter.AccountDataFlags` must set at least one bitfield")
	if err != nil {
		return err
	}
	sub := s.Live.Subscribe(live.BufferV1, accountMatch(account), kindsOf(flags&^flagHash)...)
	defer sub.Close()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, bufferText(err))
		}
		if err := s.eachReward(e, func(r *wire.Reward) error {
			if r.Coinbase != account {
				return nil
			}
			return stream.Send(&pb.AccountDataStreamResponse{Datum: &pb.AccountData{Datum: &pb.AccountData_Reward{Reward: s.reward(r)}}})
		}); err != nil {
			return err
		}
		if _, ok := e.(live.Accounts); !ok {
			continue
		}
		now, err := s.accountsNow(stream.Context(), []wire.Address{account})
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.AccountDataStreamResponse{
			Datum: &pb.AccountData{Datum: &pb.AccountData_AccountWrapper{AccountWrapper: now[0]}},
		}); err != nil {
			return err
		}
	}
}

func kindsOf(flags uint32) []live.Kind {
	var of []live.Kind
	if flags&flagReward != 0 {
		of = append(of, live.KindRewards)
	}
	if flags&flagAccount != 0 {
		of = append(of, live.KindAccounts)
	}
	if flags&flagHash != 0 {
		of = append(of, live.KindLayers)
	}
	return of
}

// accountMatch keeps what concerns an account.
func accountMatch(account wire.Address) func(live.Event) bool {
	return func(e live.Event) bool {
		switch e := e.(type) {
		case live.Rewards:
			for i := range e.Rewards {
				if e.Rewards[i].Coinbase == account {
					return true
				}
			}
		case live.Accounts:
			for i := range e.Addresses {
				if e.Addresses[i] == account {
					return true
				}
			}
		}
		return false
	}
}

func (a *api) eachReward(e live.Event, f func(*wire.Reward) error) error {
	rewards, ok := e.(live.Rewards)
	if !ok {
		return nil
	}
	for i := range rewards.Rewards {
		if err := f(&rewards.Rewards[i]); err != nil {
			return err
		}
	}
	return nil
}

// GlobalStateStream tells rewards, accounts and state hashes.
func (s *globalService) GlobalStateStream(in *pb.GlobalStateStreamRequest, stream grpc.ServerStreamingServer[pb.GlobalStateStreamResponse]) error {
	flags := in.GetGlobalStateDataFlags()
	if flags == 0 {
		return invalid("`GlobalStateDataFlags` must set at least one bitfield")
	}
	applied := func(e live.Event) bool {
		l, ok := e.(live.Layer)
		return !ok || l.Status == events.LayerApplied
	}
	sub := s.Live.Subscribe(live.BufferV1, applied, kindsOf(flags)...)
	defer sub.Close()
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, bufferText(err))
		}
		if err := s.globalData(stream.Context(), e, func(d *pb.GlobalStateData) error {
			return stream.Send(&pb.GlobalStateStreamResponse{Datum: d})
		}); err != nil {
			return err
		}
	}
}

// accountChunk is how many accounts are read at a time.
const accountChunk = 500

func (s *globalService) globalData(ctx context.Context, e live.Event, send func(*pb.GlobalStateData) error) error {
	switch e := e.(type) {
	case live.Rewards:
		return s.eachReward(e, func(r *wire.Reward) error {
			return send(&pb.GlobalStateData{Datum: &pb.GlobalStateData_Reward{Reward: s.reward(r)}})
		})
	case live.Layer:
		hash, err := s.stateHash(ctx, e.Layer)
		if err != nil {
			return err
		}
		return send(&pb.GlobalStateData{Datum: &pb.GlobalStateData_GlobalState{GlobalState: hash}})
	case live.Accounts:
		for rest := e.Addresses; len(rest) > 0; {
			chunk := rest[:min(len(rest), accountChunk)]
			rest = rest[len(chunk):]
			now, err := s.accountsNow(ctx, chunk)
			if err != nil {
				return err
			}
			for _, account := range now {
				if err := send(&pb.GlobalStateData{Datum: &pb.GlobalStateData_AccountWrapper{AccountWrapper: account}}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
