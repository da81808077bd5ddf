package datadir

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// seedFile has what nobody else may foresee.
const (
	seedFile = "seed"
	seedSize = 32
)

// Seed is the secret that chooses which labels of others' proofs of space this node
// looks at. It is drawn once a directory: who could make a node draw again would have
// another try with the same proof. Processes that share the directory get the same.
func Seed(dir string, random io.Reader) ([]byte, error) {
	path := filepath.Join(dir, seedFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := drawSeed(dir, path, random); err != nil {
			return nil, fmt.Errorf("--data-dir: %w", err)
		}
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("--data-dir: %w", err)
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(seed) != seedSize {
		return nil, fmt.Errorf("--data-dir: %s is not a line of %d hexadecimal digits; remove it, and a new one is drawn", path, 2*seedSize)
	}
	return seed, nil
}

func drawSeed(dir, path string, random io.Reader) error {
	seed := make([]byte, seedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	err := create(path, []byte(hex.EncodeToString(seed)+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	return err
}
