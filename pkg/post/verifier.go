package post

// Verifier judges proofs and VRF nonces of one network. It is safe for
// concurrent use: it owns a fixed number of Labelers, and a caller waits while
// all are in use, so that memory stays bounded whatever arrives at once.
type Verifier struct {
	params   Params
	pow      PowHasher
	labelers chan *Labeler
}

// NewVerifier makes a verifier that computes for at most workers callers at a
// time (at least one). pow may be nil when every Task says PowVerified.
func NewVerifier(params Params, pow PowHasher, workers int) (*Verifier, error) {
	workers = max(workers, 1)
	v := &Verifier{params: params, pow: pow, labelers: make(chan *Labeler, workers)}
	for range workers {
		labeler, err := NewLabeler(params.Scrypt)
		if err != nil {
			return nil, err
		}
		v.labelers <- labeler
	}
	return v, nil
}

// Params are the numbers that the verifier goes by.
func (v *Verifier) Params() Params { return v.params }

// Verify judges one proof. The error is a *RuleError or an *IndexError when the
// proof is wrong, anything else when we failed (spec 02 §9).
func (v *Verifier) Verify(t *Task) error {
	c, err := v.params.prepare(t, v.pow)
	if err != nil || len(c.places) == 0 {
		return err
	}
	labeler := <-v.labelers
	defer func() { v.labelers <- labeler }()
	return labeler.run(c)
}

// run computes labels lane by lane and stops at the first bad one.
func (l *Labeler) run(c *check) error {
	var labels [maxLanes]FullLabel
	for done := 0; done < len(c.places); done += maxLanes {
		places := c.places[done:min(done+maxLanes, len(c.places))]
		l.Fill(places, labels[:])
		for i := range places {
			if err := c.judge(done+i, &labels[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// VerifyBatch judges many proofs and returns an error (or nil) for each, the
// same as Verify would. Labels of different proofs share the lanes of the vector
// kernel, which makes proofs with few selected indices several times cheaper
// than one by one. The batch runs on the calling goroutine.
func (v *Verifier) VerifyBatch(tasks []Task) []error {
	errs := make([]error, len(tasks))
	checks := make([]*check, len(tasks))
	for i := range tasks { // with their pows, before a labeler is taken
		checks[i], errs[i] = v.params.prepare(&tasks[i], v.pow)
	}
	labeler := <-v.labelers
	defer func() { v.labelers <- labeler }()
	b := batch{labeler: labeler, errs: errs}
	for i, c := range checks {
		if c == nil {
			continue
		}
		for k := range c.places {
			b.add(i, c, k)
		}
	}
	b.flush()
	return errs
}

// batch gathers selected labels of several proofs until the lanes are full.
type batch struct {
	labeler *Labeler
	errs    []error
	places  [maxLanes]Place
	from    [maxLanes]struct {
		task, index int
		check       *check
	}
	n int
}

func (b *batch) add(task int, c *check, index int) {
	if b.errs[task] != nil {
		return // judged: only its first bad index is reported
	}
	b.places[b.n] = c.places[index]
	b.from[b.n].task, b.from[b.n].index, b.from[b.n].check = task, index, c
	if b.n++; b.n == maxLanes {
		b.flush()
	}
}

func (b *batch) flush() {
	var labels [maxLanes]FullLabel
	b.labeler.Fill(b.places[:b.n], labels[:])
	for i := range b.n {
		if from := &b.from[i]; b.errs[from.task] == nil {
			b.errs[from.task] = from.check.judge(from.index, &labels[i])
		}
	}
	b.n = 0
}

// VerifyNonce judges a VRF nonce (spec 02 §9.5).
func (v *Verifier) VerifyNonce(c *NonceClaim) error {
	labeler := <-v.labelers
	defer func() { v.labelers <- labeler }()
	return labeler.CheckNonce(c)
}

// VerifyPow runs only the checks of a proof that come before its indices,
// RandomX included. What passes may be verified later as PowVerified.
func (v *Verifier) VerifyPow(t *Task) error {
	only := *t
	only.Select, only.PowVerified = One(-1), false
	_, err := v.params.prepare(&only, v.pow)
	return err
}
