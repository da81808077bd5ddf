package v2

import (
	"math"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/wire"
)

// maxLimit is the largest page (spec 09 §1.4).
const maxLimit = 100

var (
	errLimitTooLarge = status.Error(codes.InvalidArgument, "limit is capped at 100")
	errLimitMissing  = status.Error(codes.InvalidArgument, "limit must be set to <= 100")
)

func checkLimit(limit uint64) error {
	switch {
	case limit > maxLimit:
		return errLimitTooLarge
	case limit == 0:
		return errLimitMissing
	}
	return nil
}

// offset is a client's offset; one that is no signed number counts as none, as
// it always did.
func offset(v uint64) int64 {
	if v > math.MaxInt64 {
		return 0
	}
	return int64(v)
}

// last is the end of a range whose zero means that there is none.
func last(end uint32) wire.LayerID {
	if end == 0 {
		return math.MaxUint32
	}
	return wire.LayerID(end)
}

// invalid says that the client is to blame.
func invalid(err error) error { return status.Error(codes.InvalidArgument, err.Error()) }

// orNil is a repeated field, of which empty means no filter.
func orNil(ids [][]byte) [][]byte {
	if len(ids) == 0 {
		return nil
	}
	return ids
}
