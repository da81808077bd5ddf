package cpu

import (
	"sync"
	"sync/atomic"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata/nice"
)

// Engine spreads a run of labels over goroutines. Each keeps its own scratch
// (128·N bytes a lane) between calls. One caller at a time.
type Engine struct {
	workers  int
	nice     int
	cost     post.Scrypt
	labelers []*post.Labeler
}

var _ post.Engine = (*Engine)(nil)

// New makes an engine of at least one worker.
func New(workers int) *Engine { return &Engine{workers: max(workers, 1)} }

// NewNice makes an engine whose threads yield to others (package nice).
func NewNice(workers, level int) *Engine {
	e := New(workers)
	e.nice = level
	return e
}

// runLabels is how many labels a worker takes at a time: enough to fill lanes,
// few enough to end together.
const runLabels = 32

// Labels implements post.Engine.
func (e *Engine) Labels(job post.LabelJob, out []byte) (post.NonceSearch, error) {
	if err := e.prepare(post.Scrypt{N: job.N, R: 1, P: 1}); err != nil {
		return post.NonceSearch{}, err
	}
	searches := make([]post.NonceSearch, e.workers)
	var next atomic.Uint64
	var wg sync.WaitGroup
	for w := range e.workers {
		wg.Go(func() { e.work(w, job, out, &next, &searches[w]) })
	}
	wg.Wait()
	if job.Difficulty == nil {
		return post.NonceSearch{}, nil
	}
	return best(searches, *job.Difficulty), nil
}

func (e *Engine) prepare(cost post.Scrypt) error {
	if e.cost == cost && e.labelers != nil {
		return nil
	}
	labelers := make([]*post.Labeler, e.workers)
	for i := range labelers {
		l, err := post.NewLabeler(cost)
		if err != nil {
			return err
		}
		labelers[i] = l
	}
	e.cost, e.labelers = cost, labelers
	return nil
}

func (e *Engine) work(w int, job post.LabelJob, out []byte, next *atomic.Uint64, found *post.NonceSearch) {
	nice.Thread(e.nice)
	var search *post.NonceSearch
	if job.Difficulty != nil {
		search = found
		search.Limit = *job.Difficulty
	}
	total := uint64(len(out)) / post.LabelSize
	for {
		from := next.Add(runLabels) - runLabels
		if from >= total {
			return
		}
		to := min(from+runLabels, total)
		e.labelers[w].Range(job.Commitment, job.Start+from, out[from*post.LabelSize:to*post.LabelSize], search)
	}
}

// best merges the workers' searches: the smallest label, of equal ones the
// first, whichever worker saw it.
func best(searches []post.NonceSearch, limit [32]byte) post.NonceSearch {
	out := post.NonceSearch{Limit: limit}
	for _, s := range searches {
		if !s.Found {
			continue
		}
		label := post.FullLabel(s.Limit)
		if out.Found && s.Limit == out.Limit && s.Nonce < out.Nonce {
			out.Nonce = s.Nonce
			continue
		}
		out.Offer(s.Nonce, &label)
	}
	return out
}
