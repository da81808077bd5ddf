package poets

import (
	"context"
	"fmt"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/wire"
)

// keptRounds is how many rounds' members are kept for a PoET. One is in use; a
// late identity may still ask for the one before.
const keptRounds = 2

// Round is a finished round whose proof is stored.
type Round struct {
	Ref    wire.PoetProofRef
	Leaves uint64

	tree  *poet.MembershipTree
	index map[poet.Node]uint64
}

// Membership proves that a challenge is a member; false if it is none.
func (r *Round) Membership(challenge wire.Hash32) (wire.MerkleProofV1, bool) {
	index, ok := r.index[poet.Node(challenge)]
	if !ok {
		return wire.MerkleProofV1{}, false
	}
	nodes, err := r.tree.Prove(index)
	return wire.MerkleProofV1{Nodes: nodes, LeafIndex: index}, err == nil
}

// Proof gets a round's proof, once for everybody, verifies and stores it (spec
// 03 §14.6).
func (s *Server) Proof(ctx context.Context, round string) (*Round, error) {
	got, err := s.round(round).get(ctx, s.kept(-1), func(ctx context.Context) (*Round, error) {
		return s.download(ctx, round)
	})
	if err != nil {
		return nil, fmt.Errorf("poet %s: proof of round %q: %w", s.Name(), round, err)
	}
	return got, nil
}

func (s *Server) round(name string) *shared[*Round] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.rounds[name]; ok {
		return r
	}
	if len(s.order) >= keptRounds {
		delete(s.rounds, s.order[0])
		s.order = s.order[1:]
	}
	r := new(shared[*Round])
	s.rounds[name], s.order = r, append(s.order, name)
	return r
}

func (s *Server) download(ctx context.Context, round string) (*Round, error) {
	got, err := s.client.Proof(ctx, round)
	if err != nil {
		return nil, err
	}
	members := make([]poet.Node, len(got.Members))
	for i, m := range got.Members {
		copy(members[i][:], m)
	}
	r := roundOf(members)
	root, _ := r.tree.Root()
	msg := &wire.PoetProofMessage{
		PoetProof: got.Proof, PoetServiceID: got.Pubkey, RoundID: round, Statement: wire.Hash32(root),
	}
	encoded, err := codec.Encode(msg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", rest.ErrMalformed, err)
	}
	r.Ref, r.Leaves = msg.Ref(), msg.LeafCount
	if err := s.deps.Store(ctx, r.Ref, encoded); err != nil {
		return nil, err
	}
	s.deps.Downloaded(s.Name(), round, r.Leaves)
	return r, nil
}

// roundOf indexes members; of equal challenges the first counts.
func roundOf(members []poet.Node) *Round {
	r := &Round{tree: poet.NewMembershipTree(members), index: make(map[poet.Node]uint64, len(members))}
	for i := range members {
		if _, twice := r.index[members[i]]; !twice {
			r.index[members[i]] = uint64(i)
		}
	}
	return r
}
