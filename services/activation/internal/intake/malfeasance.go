package intake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/malfeasance"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/cores"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

// ProofItem is a malfeasance proof as it came: by gossip, or fetched as the
// proof against Want.
type ProofItem struct {
	Body     []byte
	Sync     bool
	Want     wire.NodeID
	Self     bool
	Received time.Time
}

// Malfeasance judges proofs and stores the first against each identity (spec 04
// §15.3). An error means that we failed and nothing is stored.
func (in *Intake) Malfeasance(ctx context.Context, posts malfeasance.Posts, items []ProofItem) ([]malfeasance.Outcome, error) {
	view := newView(ctx, in.db, in.own, len(items))
	if err := view.fetch(accused(items)); err != nil {
		return nil, err
	}
	reader := &proofReader{view: view}
	judge := malfeasance.Validator{Verifier: in.rules.Verifier, Reader: reader, Posts: timedPosts{posts, in.metrics}}
	out := make([]malfeasance.Outcome, len(items))
	err := cores.Spread(ctx, len(items), 1, func(i, _ int) {
		if it := &items[i]; it.Sync {
			out[i] = judge.JudgeSync(it.Body, it.Want)
		} else {
			out[i] = judge.JudgeGossip(it.Body, it.Self)
		}
	})
	if err == nil {
		err = view.failed
	}
	if err != nil {
		return nil, fmt.Errorf("judge malfeasance proofs: %w", err)
	}
	return out, in.keepProofs(ctx, items, out)
}

// accused lists what judging asks about the identities in proofs.
func accused(items []ProofItem) *wanted {
	w, seen := new(wanted), make(map[wire.NodeID]struct{})
	for i := range items {
		var p wire.MalfeasanceGossip
		if _, err := codec.DecodePrefix(items[i].Body, &p.MalfeasanceProof); err != nil {
			continue
		}
		id := p.Data.MaliciousID()
		if _, twice := seen[id]; !twice {
			seen[id] = struct{}{}
			w.nodes, w.commitments, w.malicious = append(w.nodes, id), append(w.commitments, id), append(w.malicious, id)
		}
	}
	return w
}

// keepProofs stores what is news and tells of it.
func (in *Intake) keepProofs(ctx context.Context, items []ProofItem, out []malfeasance.Outcome) error {
	changes, told := new(db.Changes), false
	for i := range out {
		e := out[i].Effects
		if e == nil {
			continue
		}
		told = true
		if e.Store != nil {
			changes.Malicious = append(changes.Malicious, db.Malicious{
				Node: e.NodeID, Received: items[i].Received.UnixNano(), Proof: e.Store,
			})
		}
	}
	if len(changes.Malicious) > 0 {
		err := store.InTx(ctx, in.db, func(tx pgx.Tx) error {
			if _, err := db.LockTx(ctx, tx); err != nil {
				return err
			}
			fresh, err := db.WriteTx(ctx, tx, changes)
			if err != nil {
				return err
			}
			told, err := in.tell(changes, fresh, 0)
			if err != nil {
				return err
			}
			return outbox.AddTx(ctx, tx, told...)
		})
		if err != nil {
			return fmt.Errorf("store malfeasance proofs: %w", err)
		}
	}
	if told {
		in.stored(false, true)
	}
	return nil
}

// proofReader lets several goroutines ask one view.
type proofReader struct {
	mu   sync.Mutex
	view *View
}

// HasATX implements malfeasance.Reader.
func (r *proofReader) HasATX(id wire.NodeID) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.view.rows.nodes[id]; !ok {
		if err := r.view.fetch(&wanted{nodes: []wire.NodeID{id}}); err != nil {
			return false, err
		}
	}
	return r.view.rows.nodes[id], nil
}

// Commitment implements malfeasance.Reader.
func (r *proofReader) Commitment(id wire.NodeID) (wire.ATXID, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view.Commitment(id)
}

// Malicious implements malfeasance.Reader.
func (r *proofReader) Malicious(id wire.NodeID) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view.Malicious(id)
}

type timedPosts struct {
	malfeasance.Posts
	metrics *measure.Metrics
}

// IndexValid counts the time of the verification.
func (p timedPosts) IndexValid(s post.Statement, proof *wire.PostV1, index uint32) (bool, error) {
	start := time.Now()
	defer func() { p.metrics.Verified(measure.Post, 1, time.Since(start)) }()
	return p.Posts.IndexValid(s, proof, index)
}
