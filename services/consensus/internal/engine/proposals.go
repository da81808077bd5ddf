package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/bus"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
)

// Shelf is where good proposals stand for hare and for making blocks:
// *hare.Proposals.
type Shelf interface {
	Find(wire.ProposalID) (*wire.Proposal, bool)
	Add(hare.Accepted) error
}

// GossipedProposal judges and keeps a proposal from gossip, an own one too (spec 06
// §7.1). What it refers to and is not here is fetched. An error is ours.
func (e *Engine) GossipedProposal(ctx context.Context, shelf Shelf, m bus.PeerMessage) (bus.Judgement, error) {
	c := newProposalCase(ctx, e, shelf, m.Peer)
	_, err := e.judge.Gossip(c, m.Body)
	return c.judgement(err)
}

// SyncedProposal judges and keeps a proposal that was fetched.
func (e *Engine) SyncedProposal(ctx context.Context, shelf Shelf, o bus.FetchedObject) (bus.Judgement, error) {
	c := newProposalCase(ctx, e, shelf, o.Peer)
	_, err := e.judge.Synced(c, o.Body, o.Hash)
	return c.judgement(err)
}

// proposalCase is a proposal.Shelf for one proposal.
type proposalCase struct {
	ballotCase
	shelf Shelf
}

func newProposalCase(ctx context.Context, e *Engine, shelf Shelf, peer string) *proposalCase {
	c := &proposalCase{ballotCase: ballotCase{engine: e, ctx: ctx, fetches: true}, shelf: shelf}
	if peer != "" && peer != bus.SelfPeer {
		c.peers = []string{peer}
	}
	return c
}

// ProposalKnown is proposal.Shelf.
func (c *proposalCase) ProposalKnown(id wire.ProposalID) bool {
	_, known := c.shelf.Find(id)
	return known
}

// ObtainTxs is proposal.Shelf: state links what it has, and names what has to be
// fetched.
func (c *proposalCase) ObtainTxs(ids []wire.TransactionID) error {
	if len(ids) == 0 {
		return nil
	}
	missing, err := c.link(ids)
	if err != nil || len(missing) == 0 {
		return err
	}
	for _, id := range missing {
		c.missing = append(c.missing, bus.Missing{Kind: bus.KindTransaction, Hash: wire.Hash32(id)})
	}
	if err := c.fetch(); err != nil {
		return err
	}
	missing, err = c.link(ids)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%d transactions are not here, first %s", len(missing), missing[0])
	}
	return err
}

func (c *proposalCase) link(ids []wire.TransactionID) ([]wire.TransactionID, error) {
	reply, err := bus.LinkProposal().Call(c.ctx, c.engine.deps.Bus, bus.ProposedTransactions{Layer: c.layer, Transactions: ids})
	if err != nil {
		c.failure = fmt.Errorf("link transactions: %w", err)
		return nil, c.failure
	}
	return reply.Transactions, nil
}

// Shelve is proposal.Shelf.
func (c *proposalCase) Shelve(a *proposal.Arrival) error {
	accepted := hare.Accepted{Proposal: a.Proposal, Malicious: a.Ballot.Malicious}
	if data := a.Proposal.EpochData; data != nil {
		accepted.Beacon, accepted.Slots = data.Beacon, data.EligibilityCount
	} else {
		ref, ok := c.Reference(a.Proposal.RefBallot)
		if !ok {
			return &proposal.RuleError{Rule: proposal.RuleReferenceUnknown, Reaction: proposal.Ignore, Detail: a.Proposal.RefBallot.String()}
		}
		accepted.Beacon, accepted.Slots = ref.Beacon, ref.Slots
	}
	switch err := c.shelf.Add(accepted); {
	case errors.Is(err, protocol.ErrLayerEvicted):
		return &proposal.RuleError{Rule: proposal.RuleEvicted, Reaction: proposal.Ignore, Detail: a.ID.String()}
	case errors.Is(err, protocol.ErrProposalKnown):
		return &proposal.RuleError{Rule: proposal.RuleKnown, Reaction: proposal.Ignore, Detail: a.ID.String()}
	case err != nil:
		c.failure = err
		return err
	}
	return nil
}

// fetch asks peers for what is missing; outcomes are seen by looking again.
func (c *ballotCase) fetch() error {
	for _, kind := range []bus.Kind{bus.KindATX, bus.KindBallot, bus.KindActiveSet, bus.KindTransaction} {
		var hashes []wire.Hash32
		for _, m := range c.missing {
			if m.Kind == kind && !slices.Contains(hashes, m.Hash) {
				hashes = append(hashes, m.Hash)
			}
		}
		if len(hashes) == 0 {
			continue
		}
		if _, err := bus.Fetch(kind).Call(c.ctx, c.engine.deps.Bus, bus.FetchRequest{Hashes: hashes, Peers: c.peers}); err != nil {
			return fmt.Errorf("fetch %d of %s: %w", len(hashes), kind, err)
		}
	}
	return nil
}
