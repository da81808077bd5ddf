package postdata

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"

	"github.com/smeshery/smeshery/pkg/post"
)

const (
	fileMode = 0o600
	dirMode  = 0o700
)

// FileName is the name of label file k.
func FileName(k uint64) string { return "postdata_" + strconv.FormatUint(k, 10) + ".bin" }

// labelFile is a label file that exists.
type labelFile struct {
	number uint64
	name   string
	size   uint64
}

// list returns the label files of a directory in numeric order. A directory that
// does not exist has none.
func list(dir string) ([]labelFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	pattern := regexp.MustCompile(`^postdata_(\d+)\.bin$`)
	var files []labelFile
	for _, entry := range entries {
		match := pattern.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		number, err := strconv.ParseUint(match[1], 10, 64)
		if err != nil {
			continue // no file of ours has such a number
		}
		info, err := entry.Info()
		if err != nil {
			return nil, fmt.Errorf("size of %s: %w", entry.Name(), err)
		}
		files = append(files, labelFile{number, entry.Name(), uint64(info.Size())})
	}
	slices.SortFunc(files, func(a, b labelFile) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	return files, nil
}

// labelsOnDisk is the number of whole labels in all label files together.
func labelsOnDisk(dir string) (uint64, error) {
	files, err := list(dir)
	var total uint64
	for _, f := range files {
		total += f.size
	}
	return total / post.LabelSize, err
}

// LoadMetadata reads the metadata file. It fails with ErrMetadataMissing when
// there is none and with post.ErrMetadata when it makes no sense.
func LoadMetadata(dir string) (*post.Metadata, error) {
	raw, err := os.ReadFile(filepath.Join(dir, post.MetadataFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s", ErrMetadataMissing, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	return post.ParseMetadata(raw)
}

// SaveMetadata replaces the metadata file: readers see the old or the new one.
func SaveMetadata(dir string, m *post.Metadata) error {
	if err := saveMetadata(dir, m); err != nil {
		return fmt.Errorf("save metadata: %w", diskError(err))
	}
	return nil
}

func saveMetadata(dir string, m *post.Metadata) (err error) {
	tmp, err := os.CreateTemp(dir, post.MetadataFile+".tmp*") // has mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(m.Encode())
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(dir, post.MetadataFile))
}

// lock holds a directory against other runs until the returned function is
// called. The kernel lets go of it when the process dies.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil
}

// Reset deletes all label files and the metadata, nothing else (spec 02 §5.9).
func Reset(dir string) error {
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	files, err := list(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Remove(filepath.Join(dir, f.name)); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	err = os.Remove(filepath.Join(dir, post.MetadataFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reset: %w", err)
	}
	return nil
}
