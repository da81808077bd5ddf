package k2pow

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/smeshery/smeshery/pkg/post"
)

// The statuses of an answer.
const (
	StatusDone      = 200 // the body is the pow in decimal
	StatusStarted   = 201 // accepted, or still running
	StatusMalformed = 400
	StatusBusy      = 429 // with another job
	StatusFailed    = 500 // the body is the error
)

// Errors.
var (
	ErrPath   = errors.New("k2pow: malformed job path")
	ErrAnswer = errors.New("k2pow: bad answer")
	ErrFailed = errors.New("k2pow: job failed")
)

const prefix = "/job/"

// Path is where a job is asked for: /job/{miner}/{group}/{challenge}/{difficulty}
// with lowercase hex; the difficulty is the scaled one.
func Path(t post.PowTask) string {
	return fmt.Sprintf("%s%x/%d/%x/%x", prefix, t.NodeID[:], t.Group, t.Challenge[:], t.Difficulty[:])
}

// ParsePath reads a path; it fails with ErrPath.
func ParsePath(path string) (t post.PowTask, err error) {
	rest, ok := strings.CutPrefix(path, prefix)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 4 {
		return t, ErrPath
	}
	group, err := strconv.ParseUint(parts[1], 10, 8)
	if err != nil {
		return t, fmt.Errorf("%w: nonce group %q", ErrPath, parts[1])
	}
	t.Group = uint8(group)
	for _, field := range []struct {
		text string
		out  []byte
	}{{parts[0], t.NodeID[:]}, {parts[2], t.Challenge[:]}, {parts[3], t.Difficulty[:]}} {
		if len(field.text) != 2*len(field.out) {
			return t, fmt.Errorf("%w: %q", ErrPath, field.text)
		}
		if _, err := hex.Decode(field.out, []byte(field.text)); err != nil {
			return t, fmt.Errorf("%w: %w", ErrPath, err)
		}
	}
	return t, nil
}

// URL joins a service's base address and a job.
func URL(base string, t post.PowTask) string { return strings.TrimRight(base, "/") + Path(t) }

// Answer reads a status and body. done is false while the client has to ask again
// after a pause. The pow is not checked: PowTask.Check does that.
func Answer(status int, body []byte) (pow uint64, done bool, err error) {
	switch status {
	case StatusDone:
		pow, err := strconv.ParseUint(strings.TrimSpace(string(body)), 10, 64)
		if err != nil {
			return 0, false, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		return pow, true, nil
	case StatusStarted, StatusBusy:
		return 0, false, nil
	case StatusFailed:
		return 0, false, fmt.Errorf("%w: %.200s", ErrFailed, body)
	default:
		return 0, false, fmt.Errorf("%w: status %d", ErrAnswer, status)
	}
}
