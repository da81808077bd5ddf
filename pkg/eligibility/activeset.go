package eligibility

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ActiveSet is who may sit in the committees of an epoch.
type ActiveSet struct {
	Members map[wire.NodeID]Member
	Total   uint64
}

// Member is an identity's ATX and its weight.
type Member struct {
	ATX    wire.ATXID
	Weight uint64
}

// BuildActiveSet finds an epoch's active set (spec 05 §2.2, steps 3–6). The
// errors are ErrEmptyActiveSet, ErrNoBeacon, *MissingATXError, or the history's.
func BuildActiveSet(h History, epoch wire.EpochID) (*ActiveSet, error) {
	ids, err := activeATXs(h, epoch)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, ErrEmptyActiveSet
	}
	set := &ActiveSet{Members: make(map[wire.NodeID]Member, len(ids))}
	for _, id := range ids {
		atx, err := h.ATX(epoch, id)
		if errors.Is(err, ErrNotFound) {
			return nil, &MissingATXError{Epoch: epoch, ATX: id}
		}
		if err != nil {
			return nil, fmt.Errorf("atx %v: %w", id, err)
		}
		set.Total += atx.Weight - set.Members[atx.Node].Weight
		set.Members[atx.Node] = Member{ATX: id, Weight: atx.Weight}
	}
	return set, nil
}

func activeATXs(h History, epoch wire.EpochID) ([]wire.ATXID, error) {
	ids, err := h.Fallback(epoch)
	if !errors.Is(err, ErrNotFound) {
		return ids, wrap("bootstrap active set", err)
	}
	ids, err = firstBlockATXs(h, epoch)
	if !errors.Is(err, ErrNotFound) {
		return ids, wrap("active set of the first block", err)
	}
	return ballotATXs(h, epoch)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// firstBlockATXs is step 3b. Whatever is missing makes it ErrNotFound.
func firstBlockATXs(h History, epoch wire.EpochID) ([]wire.ATXID, error) {
	rewarded, err := h.FirstRewarded(epoch)
	if err != nil {
		return nil, err
	}
	var u union
	for _, atx := range rewarded {
		reference, err := h.Reference(epoch, atx)
		if err != nil {
			return nil, err
		}
		u.add(atx)
		if err := u.addSet(h, reference.ActiveSet); err != nil {
			return nil, err
		}
	}
	return u.ids, nil
}

// ballotATXs is step 3c.
func ballotATXs(h History, epoch wire.EpochID) ([]wire.ATXID, error) {
	beacon, err := h.Beacon(epoch)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %d", ErrNoBeacon, epoch)
	}
	if err != nil {
		return nil, wrap("beacon", err)
	}
	declared, err := h.FirstBallots(epoch)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, wrap("first ballots", err)
	}
	var u union
	for _, d := range declared {
		if d.Beacon != beacon {
			continue
		}
		if err := u.addSet(h, d.ActiveSet); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, wrap("active set", err)
		}
	}
	return u.ids, nil
}

// union collects ids in the order of their first appearance.
type union struct {
	ids  []wire.ATXID
	seen map[wire.ATXID]struct{}
	sets map[wire.Hash32]struct{}
}

func (u *union) add(id wire.ATXID) {
	if u.seen == nil {
		u.seen = make(map[wire.ATXID]struct{})
	}
	if _, ok := u.seen[id]; ok {
		return
	}
	u.seen[id] = struct{}{}
	u.ids = append(u.ids, id)
}

// addSet adds a stored active set. Most ballots declare the same one, so a set
// is read once.
func (u *union) addSet(h History, hash wire.Hash32) error {
	if _, ok := u.sets[hash]; ok {
		return nil
	}
	members, err := h.ActiveSet(hash)
	if err != nil {
		return err
	}
	for _, id := range members {
		u.add(id)
	}
	if u.sets == nil {
		u.sets = make(map[wire.Hash32]struct{})
	}
	u.sets[hash] = struct{}{}
	return nil
}
