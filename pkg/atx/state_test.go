package atx

import (
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// memState is a State in memory: lists that are searched from front to back.
type memState struct {
	rows          []Row
	blobs         map[wire.ATXID][]byte
	posts         []memPost
	poets         map[wire.PoetProofRef]PoetProof
	proofs        map[wire.NodeID][]byte
	marriages     []Marriage
	maliciousV2   []wire.NodeID
	own           []wire.NodeID
	cacheSuspects []wire.NodeID
}

type memPost struct {
	atx     wire.ATXID
	publish wire.EpochID
	Post
}

func newMemState() *memState {
	return &memState{
		blobs:  map[wire.ATXID][]byte{},
		poets:  map[wire.PoetProofRef]PoetProof{},
		proofs: map[wire.NodeID][]byte{},
	}
}

func (s *memState) apply(e *Effects) {
	if e == nil {
		return
	}
	if e.Row != nil {
		s.rows = append(s.rows, *e.Row)
		s.blobs[e.Row.ID] = e.Blob
		for _, p := range e.Posts {
			s.posts = append(s.posts, memPost{e.Row.ID, e.Row.PublishEpoch, p})
		}
	}
	if e.Marriage != nil {
		s.marry(e.Marriage)
	}
	if e.Proof != nil {
		s.proofs[e.Proof.NodeID] = e.Proof.Encoded
	}
	if e.CacheMalicious {
		s.cacheSuspects = append(s.cacheSuspects, e.Row.NodeID)
	}
}

func (s *memState) marry(c *MarriageChange) {
	s.marriages = append(s.marriages, c.Insert...)
	for i := range s.marriages {
		if slices.Contains(c.Join, s.marriages[i].ID) {
			s.marriages[i].ID = c.ID
		}
	}
	for _, id := range c.Malicious {
		if !slices.Contains(s.maliciousV2, id) {
			s.maliciousV2 = append(s.maliciousV2, id)
		}
	}
}

func (s *memState) ATX(id wire.ATXID) (Row, bool, error) {
	for _, row := range s.rows {
		if row.ID == id {
			return row, true, nil
		}
	}
	return Row{}, false, nil
}

func (s *memState) Units(atx wire.ATXID, id wire.NodeID) (uint32, bool, error) {
	for _, p := range s.posts {
		if p.atx == atx && p.NodeID == id {
			return p.Units, true, nil
		}
	}
	return 0, false, nil
}

func (s *memState) Commitment(id wire.NodeID) (wire.ATXID, bool, error) {
	var newest *Row
	for i, row := range s.rows {
		if row.NodeID == id && row.Commitment != nil && (newest == nil || row.PublishEpoch >= newest.PublishEpoch) {
			newest = &s.rows[i]
		}
	}
	if newest == nil {
		return wire.ATXID{}, false, nil
	}
	return *newest.Commitment, true, nil
}

func (s *memState) Poet(ref wire.PoetProofRef) (PoetProof, bool, error) {
	p, ok := s.poets[ref]
	return p, ok, nil
}

func (s *memState) Malicious(id wire.NodeID) (bool, error) {
	_, ok := s.proofs[id]
	return ok, nil
}

func (s *memState) Marriage(id wire.NodeID) (Marriage, bool, error) {
	for _, m := range s.marriages {
		if m.NodeID == id {
			return m, true, nil
		}
	}
	return Marriage{}, false, nil
}

func (s *memState) MarriageSet(set MarriageID) (ids []wire.NodeID, err error) {
	for _, m := range s.marriages {
		if m.ID == set {
			ids = append(ids, m.NodeID)
		}
	}
	return ids, nil
}

func (s *memState) LastMarriageID() (last MarriageID, err error) {
	for _, m := range s.marriages {
		last = max(last, m.ID)
	}
	return last, nil
}

func (s *memState) MaliciousMarried(id wire.NodeID) (bool, error) {
	return slices.Contains(s.maliciousV2, id), nil
}

func (s *memState) SignedIn(id wire.NodeID, publish wire.EpochID) (wire.ATXID, bool, error) {
	for _, row := range s.rows {
		if row.NodeID == id && row.PublishEpoch == publish {
			return row.ID, true, nil
		}
	}
	return wire.ATXID{}, false, nil
}

func (s *memState) find(match func(memPost) bool) (wire.ATXID, bool, error) {
	for _, p := range s.posts {
		if match(p) {
			return p.atx, true, nil
		}
	}
	return wire.ATXID{}, false, nil
}

func (s *memState) PostIn(id wire.NodeID, publish wire.EpochID) (wire.ATXID, bool, error) {
	return s.find(func(p memPost) bool { return p.NodeID == id && p.publish == publish })
}

func (s *memState) LastPost(id wire.NodeID, before wire.EpochID) (wire.ATXID, bool, error) {
	newest := slices.Clone(s.posts)
	slices.SortStableFunc(newest, func(a, b memPost) int { return cmp.Compare(b.publish, a.publish) })
	for _, p := range newest {
		if p.NodeID == id && p.publish < before {
			return p.atx, true, nil
		}
	}
	return wire.ATXID{}, false, nil
}

func (s *memState) PostOn(id wire.NodeID, previous wire.ATXID) (wire.ATXID, bool, error) {
	return s.find(func(p memPost) bool { return p.NodeID == id && p.Previous == previous })
}

func (s *memState) MergedIn(marriage wire.ATXID, publish wire.EpochID) (wire.ATXID, bool, error) {
	for _, row := range s.rows {
		if row.MarriageATX != nil && *row.MarriageATX == marriage && row.PublishEpoch == publish {
			return row.ID, true, nil
		}
	}
	return wire.ATXID{}, false, nil
}

func (s *memState) Blob(id wire.ATXID) ([]byte, bool, error) {
	blob, ok := s.blobs[id]
	return blob, ok, nil
}

func (s *memState) Own(id wire.NodeID) bool { return slices.Contains(s.own, id) }

// scriptedProofs finds invalid what the vectors say is invalid, and writes down
// what it was asked.
type scriptedProofs struct {
	posts  []PostCheck
	nonces []post.NonceClaim
}

const (
	invalidPostNonce  = 4040404
	badIndexPostNonce = 5050505
	badIndex          = 7
	invalidVRFNonce   = 6060606
)

func (p *scriptedProofs) Post(c PostCheck) (PostFinding, error) {
	p.posts = append(p.posts, c)
	switch c.Post.Nonce {
	case invalidPostNonce:
		return PostFinding{}, nil
	case badIndexPostNonce:
		return PostFinding{BadIndex: true, Index: badIndex}, nil
	}
	return PostFinding{Valid: true}, nil
}

func (p *scriptedProofs) Nonce(c post.NonceClaim) (bool, error) {
	p.nonces = append(p.nonces, c)
	return c.Nonce != invalidVRFNonce, nil
}
