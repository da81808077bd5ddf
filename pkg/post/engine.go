package post

// LabelJob is a run of labels that an Engine computes.
type LabelJob struct {
	Commitment [32]byte
	N          uint64 // scrypt cost, r = p = 1
	Start      uint64
	// Difficulty asks for the smallest label below it; nil asks for none.
	Difficulty *[32]byte
}

// Engine computes labels in bulk, on whatever hardware. Its results are those of
// a Labeler. An Engine serves one caller at a time; ErrScryptParams is the only
// error that repeating a call cannot cure.
type Engine interface {
	// Labels fills out with the labels from job.Start on, 16 bytes each, and
	// returns the search's outcome (zero without a difficulty).
	Labels(job LabelJob, out []byte) (NonceSearch, error)
}
