package postdata

import (
	"errors"
	"fmt"
	"syscall"
)

// What can be wrong with a directory, a configuration or the disk.
var (
	ErrConfig          = errors.New("postdata: invalid option")
	ErrRange           = errors.New("postdata: invalid range of files")
	ErrMetadataMissing = errors.New("postdata: metadata file is missing")
	ErrLocked          = errors.New("postdata: directory is in use by another process or run")
	ErrNoProvider      = errors.New("postdata: no provider specified")
	ErrReferenceLabel  = errors.New("postdata: reference label mismatch")
	ErrNonceNotFound   = errors.New("postdata: nonce not found")
	ErrDiskFull        = errors.New("postdata: disk is full")
	ErrCanceled        = errors.New("postdata: canceled")
	ErrNoProof         = errors.New("postdata: no nonce of the challenge makes a proof")
)

// MismatchError says that a directory was made with another value of a parameter
// (spec 02 §5.2).
type MismatchError struct {
	Param string // field name in the metadata file
	Have  string // in the directory
	Want  string // asked for
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("postdata: %s of the directory is %s, not %s", e.Param, e.Have, e.Want)
}

// AlteredError says that a label file is not what the metadata says it is.
type AlteredError struct {
	File   string
	Offset uint64 // of the first wrong byte, or the file's size
	Reason string
}

func (e *AlteredError) Error() string {
	return fmt.Sprintf("postdata: %s is altered at byte %d: %s", e.File, e.Offset, e.Reason)
}

// diskError names a full disk.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}
