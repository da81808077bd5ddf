package keyfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	// Dir is the name of the directory inside a node's data directory.
	Dir = "identities"
	// LocalName is the file of the identity that proves inside the node.
	LocalName = "local.key"

	extension = ".key"
	dirMode   = 0o700
	fileMode  = 0o600
)

// Identity is a key and the name of its file.
type Identity struct {
	Name string
	Key  signing.Key
}

// Load reads all key files of dir in lexical order. A directory that is missing
// or has none gives ErrNoKeys.
func Load(dir string) ([]Identity, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	var found []Identity
	names := map[wire.NodeID]string{}
	for _, entry := range entries {
		if entry.IsDir() || filepath.Ext(entry.Name()) != extension {
			continue
		}
		if err := private(filepath.Join(dir, entry.Name())); err != nil {
			return nil, err
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read identity: %w", err)
		}
		key, err := Parse(content)
		if err != nil {
			return nil, fmt.Errorf("identity file %s: %w", entry.Name(), err)
		}
		if other, ok := names[key.NodeID()]; ok {
			return nil, fmt.Errorf("%w: %s and %s", ErrDuplicate, other, entry.Name())
		}
		names[key.NodeID()] = entry.Name()
		found = append(found, Identity{Name: entry.Name(), Key: key})
	}
	return found, check(found)
}

// private refuses a file that others may read or change.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w (mode %04o): chmod 600 %s", ErrExposed, mode, path)
	}
	return nil
}

func check(found []Identity) error {
	if len(found) == 0 {
		return ErrNoKeys
	}
	for _, identity := range found {
		if identity.Name == LocalName && len(found) > 1 {
			return ErrMixed
		}
	}
	return nil
}

// LoadOrCreate is Load, but makes and stores a new local identity if there is none.
func LoadOrCreate(dir string) ([]Identity, error) {
	found, err := Load(dir)
	if !errors.Is(err, ErrNoKeys) {
		return found, err
	}
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	identity := Identity{Name: LocalName, Key: signing.NewKey(seed)}
	if err := Store(dir, identity); err != nil {
		return nil, err
	}
	return []Identity{identity}, nil
}

// Store writes a new key file and makes the directory if it is missing. A file
// that exists is never overwritten.
func Store(dir string, identity Identity) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("make identities directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, identity.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return fmt.Errorf("store identity: %w", err)
	}
	_, err = file.Write(Format(identity.Key))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("store identity %s: %w", identity.Name, err)
	}
	return nil
}
