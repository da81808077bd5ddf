//go:build !cgo || !linux

package randomx

import "fmt"

type (
	cachePtr   *byte
	datasetPtr *byte
	vmPtr      *byte
	library    struct{}
)

func loadOnce() (*library, error) {
	return nil, fmt.Errorf("%w, and build with cgo on Linux", ErrUnavailable)
}

func (*library) flags() Flags                              { return 0 }
func (*library) newCache(Flags, []byte) cachePtr           { return nil }
func (*library) freeCache(cachePtr)                        {}
func (*library) newDataset(Flags) datasetPtr               { return nil }
func (*library) items() uint64                             { return 0 }
func (*library) fill(datasetPtr, cachePtr, uint64, uint64) {}
func (*library) freeDataset(datasetPtr)                    {}
func (*library) newVM(Flags, cachePtr, datasetPtr) vmPtr   { return nil }
func (*library) freeVM(vmPtr)                              {}
func (*library) hash(vmPtr, []byte, *[32]byte)             {}
func (*library) search(vmPtr, *[48]byte, *[32]byte, uint64, uint64) (uint64, bool) {
	return 0, false
}
