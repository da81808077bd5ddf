package intake

import (
	"encoding/binary"
	"sync"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// key names everything that a verification depends on.
type key wire.Hash32

func postKey(c *atx.PostCheck) key {
	b := make([]byte, 0, 128+len(c.Post.Indices))
	b = append(b, 'p')
	b = append(b, c.Statement.NodeID[:]...)
	b = append(b, c.Statement.CommitmentATX[:]...)
	b = append(b, c.Statement.Challenge[:]...)
	b = binary.LittleEndian.AppendUint32(b, c.Statement.NumUnits)
	b = binary.LittleEndian.AppendUint32(b, c.Post.Nonce)
	b = binary.LittleEndian.AppendUint64(b, c.Post.Pow)
	if c.All {
		b = append(b, 1)
	}
	b = append(b, 0)
	return key(wire.Sum(b, c.Post.Indices))
}

func nonceKey(c *post.NonceClaim) key {
	b := make([]byte, 0, 96)
	b = append(b, 'n')
	b = append(b, c.NodeID[:]...)
	b = append(b, c.CommitmentATX[:]...)
	b = binary.LittleEndian.AppendUint32(b, c.NumUnits)
	b = binary.LittleEndian.AppendUint64(b, c.LabelsPerUnit)
	return key(wire.Sum(binary.LittleEndian.AppendUint64(b, c.Nonce)))
}

// answer is what a verification found. err is a failure of ours.
type answer struct {
	post atx.PostFinding // Valid also speaks for nonces
	err  error
}

var good = answer{post: atx.PostFinding{Valid: true}}

// questions implements atx.Proofs for the judging of a batch: it answers what
// is known, and otherwise says "good" and remembers the question.
type questions struct {
	memo    *memo
	answers map[key]answer // of this batch, our failures among them

	posts     []atx.PostCheck
	postKeys  []key
	nonces    []post.NonceClaim
	nonceKeys []key
}

// Post implements atx.Proofs.
func (q *questions) Post(c atx.PostCheck) (atx.PostFinding, error) {
	k := postKey(&c)
	if a, ok := q.known(k); ok {
		return a.post, a.err
	}
	q.posts, q.postKeys = append(q.posts, c), append(q.postKeys, k)
	return good.post, nil
}

// Nonce implements atx.Proofs.
func (q *questions) Nonce(c post.NonceClaim) (bool, error) {
	k := nonceKey(&c)
	if a, ok := q.known(k); ok {
		return a.post.Valid, a.err
	}
	q.nonces, q.nonceKeys = append(q.nonces, c), append(q.nonceKeys, k)
	return true, nil
}

func (q *questions) known(k key) (answer, bool) {
	if a, ok := q.answers[k]; ok {
		return a, true
	}
	return q.memo.get(k)
}

// forget drops the questions before the batch is judged again.
func (q *questions) forget() {
	q.posts, q.postKeys = q.posts[:0], q.postKeys[:0]
	q.nonces, q.nonceKeys = q.nonces[:0], q.nonceKeys[:0]
}

// memo remembers what verifications found, so that an ATX that comes again with
// its dependencies is not verified again. It holds at most two generations.
type memo struct {
	mu         sync.Mutex
	size       int
	young, old map[key]answer
}

func newMemo(size int) *memo {
	return &memo{size: size, young: make(map[key]answer), old: make(map[key]answer)}
}

func (m *memo) get(k key) (answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.young[k]
	if !ok {
		if a, ok = m.old[k]; ok {
			m.put(k, a)
		}
	}
	return a, ok
}

func (m *memo) set(k key, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(k, a)
}

func (m *memo) put(k key, a answer) {
	if len(m.young) >= m.size {
		m.old, m.young = m.young, make(map[key]answer)
	}
	m.young[k] = a
}
