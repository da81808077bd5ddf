package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/tortoise"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// SyncedBallot judges and keeps a ballot that was fetched (spec 06 §7.2). An
// error is ours, and no verdict on the peer.
func (e *Engine) SyncedBallot(ctx context.Context, blob []byte, want wire.BallotID) (bus.Judgement, error) {
	c := &ballotCase{engine: e, ctx: ctx, blob: blob}
	_, err := e.judge.SyncedBallot(c, blob, want)
	return c.judgement(err)
}

// ballotCase is the world as the judge of one ballot sees it (proposal.World).
type ballotCase struct {
	engine  *Engine
	ctx     context.Context // of the request that brought the ballot; it ends with it
	blob    []byte
	decoded *tortoise.Decoded
	missing []bus.Missing
	// fetches: what is missing is asked of peers, those who sent the ballot first.
	fetches bool
	fetched bool // the active set was asked for
	peers   []string
	// layer of the ballot, once it is looked at.
	layer wire.LayerID
	// failure is our own, and no verdict on the peer.
	failure error
}

// judgement puts the judge's word into a reply.
func (c *ballotCase) judgement(err error) (bus.Judgement, error) {
	switch rule, ok := proposal.RuleOf(err); {
	case c.failure != nil:
		return bus.Judgement{}, c.failure
	case err == nil:
		return bus.Judgement{Verdict: bus.Accept}, nil
	case !ok:
		return bus.Judgement{}, err
	case rule.Reaction == proposal.Reject:
		return bus.Judgement{Verdict: bus.Reject, Reason: string(rule.Rule), Detail: rule.Detail}, nil
	default:
		return bus.Judgement{Verdict: bus.Ignore, Reason: string(rule.Rule), Detail: rule.Detail, Missing: c.missing}, nil
	}
}

// Layers is proposal.World.
func (c *ballotCase) Layers() (processed, current wire.LayerID) {
	return wire.LayerID(c.engine.processed.Load()), c.engine.current()
}

// BallotKnown is proposal.World.
func (c *ballotCase) BallotKnown(id wire.BallotID) bool {
	c.engine.mu.RLock()
	defer c.engine.mu.RUnlock()
	return c.engine.tortoise.Knows(id)
}

// Reference is proposal.World.
func (c *ballotCase) Reference(id wire.BallotID) (proposal.Reference, bool) {
	c.engine.mu.RLock()
	defer c.engine.mu.RUnlock()
	ref, ok := c.engine.tortoise.Reference(id)
	return proposal.Reference{
		Smesher: ref.Smesher, Atx: ref.ATX, Epoch: c.engine.params.Epoch(ref.Layer), Beacon: ref.Beacon, Slots: ref.Slots,
	}, ok
}

// ATX is proposal.World.
func (c *ballotCase) ATX(epoch wire.EpochID, id wire.ATXID) (proposal.ATX, bool) {
	c.engine.mu.RLock()
	defer c.engine.mu.RUnlock()
	entry, ok := c.engine.index.Get(epoch, id)
	return votingATX(&entry), ok
}

// Obtain is proposal.World. It looks into the feeds once; what is not there
// either is named to the caller, who fetches it.
func (c *ballotCase) Obtain(b *wire.Ballot) error {
	c.layer = b.Layer
	c.missing = c.absent(b)
	if len(c.missing) > 0 && c.fetches {
		if err := c.fetch(); err != nil {
			return err
		}
	}
	// Only an ATX can come through a feed: ballots that name made-up ones must
	// not cost us queries.
	if slices.ContainsFunc(c.missing, func(m bus.Missing) bool { return m.Kind == bus.KindATX }) {
		if err := c.engine.Follow(c.ctx); err != nil {
			c.failure = err
			return err
		}
		c.missing = c.absent(b)
	}
	if len(c.missing) > 0 {
		return fmt.Errorf("%d dependencies are not here, first %s %s", len(c.missing), c.missing[0].Kind, c.missing[0].Hash)
	}
	return nil
}

func (c *ballotCase) absent(b *wire.Ballot) (out []bus.Missing) {
	c.engine.mu.RLock()
	defer c.engine.mu.RUnlock()
	for _, id := range [...]wire.BallotID{b.Votes.Base, b.RefBallot} {
		if !wire.IsZero(id) && !c.engine.tortoise.Knows(id) {
			out = append(out, bus.Missing{Kind: bus.KindBallot, Hash: wire.Pad32(id)})
		}
	}
	if _, ok := c.engine.index.Get(c.engine.params.Epoch(b.Layer), b.AtxID); !ok {
		out = append(out, bus.Missing{Kind: bus.KindATX, Hash: wire.Hash32(b.AtxID)})
	}
	return out
}

// ActiveSetWeight is proposal.World (spec 06 §7.4).
func (c *ballotCase) ActiveSetWeight(hash wire.Hash32) (uint64, error) {
	e := c.engine
	e.mu.RLock()
	weight, ok := e.weights.get(hash)
	e.mu.RUnlock()
	if ok {
		return weight, nil
	}
	set, err := db.ReadActiveSet(c.ctx, e.deps.DB, hash)
	switch {
	case err != nil:
		c.failure = err
		return 0, err
	case set == nil:
		return c.absentActiveSet(hash)
	case len(set.Set) == 0:
		return 0, &proposal.RuleError{Rule: proposal.RuleActiveSetEmpty, Reaction: proposal.Reject, Detail: hash.String()}
	}
	weight, absent := e.weigh(set)
	if len(absent) > 0 {
		if err := e.Follow(c.ctx); err != nil {
			c.failure = err
			return 0, err
		}
		weight, absent = e.weigh(set)
	}
	if len(absent) > 0 && c.fetchATXs(absent) {
		weight, absent = e.weigh(set)
	}
	if len(absent) > 0 {
		return 0, fmt.Errorf("%d ATXs of active set %s are not here", len(absent), hash)
	}
	c.missing = nil
	e.mu.Lock()
	e.weights.put(hash, weight)
	e.mu.Unlock()
	return weight, nil
}

// absentActiveSet fetches a set that is not stored, once, or names it as missing.
func (c *ballotCase) absentActiveSet(hash wire.Hash32) (uint64, error) {
	c.missing = []bus.Missing{{Kind: bus.KindActiveSet, Hash: hash}}
	if !c.fetches || c.fetched {
		return 0, fmt.Errorf("active set %s is not here", hash)
	}
	c.fetched = true
	if err := c.fetch(); err != nil {
		return 0, err
	}
	return c.ActiveSetWeight(hash)
}

// fetchATXs names the members of a set that are missing, and asks for them where
// that is done; it tells whether a second look is due.
func (c *ballotCase) fetchATXs(absent []wire.ATXID) bool {
	c.missing = nil
	for _, id := range absent {
		c.missing = append(c.missing, bus.Missing{Kind: bus.KindATX, Hash: wire.Hash32(id)})
	}
	return c.fetches && c.fetch() == nil && c.engine.Follow(c.ctx) == nil
}

// weigh sums an active set and lists the ATXs that are not indexed.
func (e *Engine) weigh(set *wire.EpochActiveSet) (uint64, []wire.ATXID) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	sum := e.index.Weigh(set.Epoch, set.Set)
	if sum.Found == len(set.Set) {
		return sum.Weight, nil
	}
	var absent []wire.ATXID
	for _, id := range set.Set {
		if _, ok := e.index.Get(set.Epoch, id); !ok {
			absent = append(absent, id)
		}
	}
	return sum.Weight, absent
}

// DecodeVotes is proposal.World.
func (c *ballotCase) DecodeVotes(b *wire.Ballot) error {
	counted := tortoise.BallotOf(b)
	// Decoding changes nothing but scratch space, which is one.
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	decoded, err := c.engine.tortoise.Decode(&counted)
	if err != nil {
		return fmt.Errorf("decode votes: %w", err)
	}
	c.decoded = decoded
	return nil
}

// VerifyVRF is proposal.World.
func (c *ballotCase) VerifyVRF(node wire.NodeID, message []byte, proof *wire.VrfSignature) bool {
	defer c.engine.deps.Costs.VRF.Start()()
	return vrf.Verify(node, message, *proof)
}

// Keep is proposal.World: the ballot is stored first and counted after.
func (c *ballotCase) Keep(v *proposal.Valid) (proposal.Kept, error) {
	kept, err := c.engine.writer.put(c.ctx, c.entry(v))
	if err != nil {
		c.failure = fmt.Errorf("store ballot %s: %w", v.ID, err)
	}
	return kept, err
}

func (c *ballotCase) entry(v *proposal.Valid) *entry {
	row := db.Ballot{
		ID: v.ID, Hash: v.Hash, Layer: v.Ballot.Layer, Atx: v.Ballot.AtxID,
		Node: v.Ballot.SmesherID, Signature: v.Ballot.Signature, Blob: c.blob,
	}
	if row.Blob == nil {
		row.Blob = codec.MustEncode(v.Ballot)
	}
	if v.Ballot.EpochData != nil {
		slots := int64(v.Ballot.EpochData.EligibilityCount)
		row.Slots = &slots
	}
	return &entry{row: row, valid: v, decoded: c.decoded, done: make(chan outcome, 1)}
}
