package intake

import (
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// overlay is what the ATXs of a batch add to the tables, each list in the order
// of the batch. Marriages are not part of it: a batch ends with one.
type overlay struct {
	atxs        map[wire.ATXID]*atx.Effects
	signers     map[wire.NodeID][]*atx.Effects
	posts       map[wire.NodeID][]addedPost
	commitments map[wire.NodeID]older
	malicious   map[wire.NodeID]struct{}
	merged      map[db.ATXEpoch]wire.ATXID
}

type addedPost struct {
	older
	previous wire.ATXID
}

func (o *overlay) reset() {
	*o = overlay{
		atxs:        make(map[wire.ATXID]*atx.Effects),
		signers:     make(map[wire.NodeID][]*atx.Effects),
		posts:       make(map[wire.NodeID][]addedPost),
		commitments: make(map[wire.NodeID]older),
		malicious:   make(map[wire.NodeID]struct{}),
		merged:      make(map[db.ATXEpoch]wire.ATXID),
	}
}

func (o *overlay) apply(e *atx.Effects) {
	if e == nil {
		return
	}
	if e.Proof != nil {
		o.malicious[e.Proof.NodeID] = struct{}{}
	}
	row := e.Row
	if row == nil {
		return
	}
	o.atxs[row.ID] = e
	o.signers[row.NodeID] = append(o.signers[row.NodeID], e)
	at := older{row.ID, row.PublishEpoch}
	for i := range e.Posts {
		p := &e.Posts[i]
		o.posts[p.NodeID] = append(o.posts[p.NodeID], addedPost{at, p.Previous})
	}
	if row.Commitment != nil {
		if c, ok := o.commitments[row.NodeID]; !ok || row.PublishEpoch >= c.publish {
			o.commitments[row.NodeID] = older{*row.Commitment, row.PublishEpoch}
		}
	}
	if row.MarriageATX != nil {
		key := db.ATXEpoch{ATX: *row.MarriageATX, Epoch: row.PublishEpoch}
		if _, ok := o.merged[key]; !ok {
			o.merged[key] = row.ID
		}
	}
}
