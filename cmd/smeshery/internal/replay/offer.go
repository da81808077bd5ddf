package replay

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	// batchSize is how many rows are looked up, offered and compared together.
	batchSize = 1024
	// inFlight is how many objects are on their way at a time.
	inFlight = 512
	// maxDepth bounds chains of missing objects.
	maxDepth = 64
)

// object is something that a peer could have served.
type object struct {
	kind  bus.Kind
	hash  wire.Hash32
	body  []byte
	name  string
	place source.Place
	// doubtful objects may be rejected: the source calls them invalid too.
	doubtful bool
}

// offer hands objects of one kind to their owner, except those that it holds
// already, and counts them.
func (r *run) offer(ctx context.Context, k source.Kind, objects []object) error {
	if len(objects) == 0 {
		return nil
	}
	t := r.tally(k)
	began := time.Now()
	defer func() { t.Seconds += time.Since(began).Seconds() }()
	fresh, err := r.unknown(ctx, objects)
	if err != nil {
		return err
	}
	t.Known += len(objects) - len(fresh)
	t.Judged += len(fresh)
	if err := r.deliver(ctx, k, fresh, 0); err != nil {
		return err
	}
	t.Objects += len(objects)
	r.progress.Objects(k, t.Objects, r.src.Count(k))
	return nil
}

// deliver offers objects, and again those that wait for something: first for
// what is on its way beside them, then for what only the source has.
func (r *run) deliver(ctx context.Context, k source.Kind, objects []object, depth int) error {
	for len(objects) > 0 {
		waiting, missing, err := r.round(ctx, k, objects)
		if err != nil {
			return err
		}
		if len(waiting) == len(objects) {
			found, err := r.supply(ctx, missing, depth)
			if err != nil {
				return err
			}
			if !found {
				for _, o := range waiting {
					r.compare(k, o.name, o.place).differ("verdict", "waiting for something that the source lacks: "+describe(missing), "accepted")
				}
				return nil
			}
		}
		objects = waiting
	}
	return nil
}

// round offers every object once.
func (r *run) round(ctx context.Context, k source.Kind, objects []object) (waiting []object, missing map[bus.Missing]struct{}, err error) {
	var mu sync.Mutex
	waits := make([]bool, len(objects))
	missing = make(map[bus.Missing]struct{})
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i, o := range objects {
		group.Go(func() error {
			j, err := r.judge(ctx, o)
			if err != nil {
				return err
			}
			switch {
			case j.Verdict == bus.Accept:
			case len(j.Missing) > 0:
				mu.Lock()
				defer mu.Unlock()
				waits[i] = true
				for _, m := range j.Missing {
					missing[m] = struct{}{}
				}
			case o.doubtful:
			default:
				r.compare(k, o.name, o.place).differ("verdict", fmt.Sprintf("%s (%s: %s)", j.Verdict, j.Reason, j.Detail), "accepted")
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for i, o := range objects {
		if waits[i] {
			waiting = append(waiting, o)
		}
	}
	return waiting, missing, nil
}

func (r *run) judge(ctx context.Context, o object) (j bus.Judgement, err error) {
	err = r.persist(ctx, fmt.Sprintf("%s (%s)", o.name, o.place), func(ctx context.Context) (err error) {
		j, err = bus.SyncIn(o.kind).Call(ctx, r.target.Bus(), bus.FetchedObject{Hash: o.hash, Body: o.body})
		return err
	})
	return j, err
}

// supply offers what is missing from the source; false if it has none of it.
func (r *run) supply(ctx context.Context, missing map[bus.Missing]struct{}, depth int) (found bool, err error) {
	if depth >= maxDepth {
		return false, nil
	}
	byKind := make(map[bus.Kind][]object)
	for m := range missing {
		body, err := r.src.Object(ctx, m.Kind, m.Hash)
		if err != nil {
			return false, err
		}
		if body == nil {
			continue
		}
		byKind[m.Kind] = append(byKind[m.Kind], object{
			kind: m.Kind, hash: m.Hash, body: body, name: fmt.Sprintf("%s %s", m.Kind, m.Hash), place: source.Place{File: "asked for"},
		})
	}
	for _, kind := range bus.Kinds() {
		if len(byKind[kind]) == 0 {
			continue
		}
		fresh, err := r.unknown(ctx, byKind[kind])
		if err != nil {
			return false, err
		}
		found = found || len(fresh) > 0
		if err := r.deliver(ctx, source.Kind(kind), fresh, depth+1); err != nil {
			return false, err
		}
	}
	return found, nil
}

func describe(missing map[bus.Missing]struct{}) string {
	for m := range missing {
		s := fmt.Sprintf("%s %s", m.Kind, m.Hash)
		if len(missing) > 1 {
			s += fmt.Sprintf(" and %d more", len(missing)-1)
		}
		return s
	}
	return "nothing"
}
