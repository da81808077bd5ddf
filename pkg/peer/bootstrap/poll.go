package bootstrap

import (
	"path"
	"strconv"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Suffix says what a document is about.
type Suffix string

// Suffixes. Beacon and active set are asked for apart only where there is no
// document with both.
const (
	BeaconAndActiveSet Suffix = "bs"
	BeaconOnly         Suffix = "bc"
	ActiveSetOnly      Suffix = "as"
)

// RequiredEpochs are the epochs to poll for, given the current one and the one of
// the effective genesis (spec 08 §12.1).
func RequiredEpochs(current, effectiveGenesis wire.EpochID) []wire.EpochID {
	switch current {
	case 0:
		return nil
	case 1:
		return []wire.EpochID{2}
	case 2:
		return []wire.EpochID{2, 3}
	case effectiveGenesis:
		return []wire.EpochID{current, current + 1}
	}
	return []wire.EpochID{current - 1, current, current + 1}
}

// Name is a document's name on the server and on disk.
func Name(epoch wire.EpochID, suffix Suffix) string {
	return "epoch-" + strconv.FormatUint(uint64(epoch), 10) + "-update-" + string(suffix)
}

// URL is where a document is fetched from.
func URL(base string, epoch wire.EpochID, suffix Suffix) string {
	return base + "/" + Name(epoch, suffix)
}

// File is where a document is kept below the data directory (spec 08 §12.3).
func File(epoch wire.EpochID, suffix Suffix) string {
	return path.Join("bootstrap", strconv.FormatUint(uint64(epoch), 10), Name(epoch, suffix))
}
