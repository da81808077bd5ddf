//go:build cgo && linux

package randomx

/*
#cgo LDFLAGS: -ldl -lm
#include "library.h"
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

type (
	cachePtr   unsafe.Pointer
	datasetPtr unsafe.Pointer
	vmPtr      unsafe.Pointer
)

// names of the library: Debian's run-time package, then the development one.
func names() []string { return []string{"librandomx.so.0", "librandomx.so"} }

type library struct{ c C.rx_library }

var loadOnce = sync.OnceValues(load)

func load() (*library, error) {
	err := ErrUnavailable
	for _, name := range names() {
		lib := new(library)
		cname := C.CString(name)
		why := C.rx_load(&lib.c, cname)
		C.free(unsafe.Pointer(cname))
		if why == nil {
			return lib, nil
		}
		err = errors.Join(err, fmt.Errorf("load %s: %s", name, C.GoString(why)))
	}
	return nil, err
}

func (l *library) flags() Flags { return Flags(C.rx_flags(&l.c)) }

func (l *library) newCache(f Flags, key []byte) cachePtr {
	if len(key) == 0 {
		key = []byte{0}[:0:1]
	}
	return cachePtr(C.rx_cache(&l.c, C.int(f), unsafe.Pointer(unsafe.SliceData(key)), C.size_t(len(key))))
}

func (l *library) freeCache(c cachePtr) { C.rx_free_cache(&l.c, unsafe.Pointer(c)) }

func (l *library) newDataset(f Flags) datasetPtr { return datasetPtr(C.rx_dataset(&l.c, C.int(f))) }

func (l *library) items() uint64 { return uint64(C.rx_items(&l.c)) }

func (l *library) fill(d datasetPtr, c cachePtr, from, count uint64) {
	C.rx_fill_dataset(&l.c, unsafe.Pointer(d), unsafe.Pointer(c), C.ulong(from), C.ulong(count))
}

func (l *library) freeDataset(d datasetPtr) { C.rx_free_dataset(&l.c, unsafe.Pointer(d)) }

func (l *library) newVM(f Flags, c cachePtr, d datasetPtr) vmPtr {
	return vmPtr(C.rx_vm(&l.c, C.int(f), unsafe.Pointer(c), unsafe.Pointer(d)))
}

func (l *library) freeVM(vm vmPtr) { C.rx_free_vm(&l.c, unsafe.Pointer(vm)) }

func (l *library) hash(vm vmPtr, in []byte, out *[32]byte) {
	if len(in) == 0 {
		in = []byte{0}[:0:1]
	}
	C.rx_hash(&l.c, unsafe.Pointer(vm), unsafe.Pointer(unsafe.SliceData(in)), C.size_t(len(in)), unsafe.Pointer(out))
}

func (l *library) search(vm vmPtr, in *[48]byte, difficulty *[32]byte, start, count uint64) (uint64, bool) {
	var found C.uint64_t
	hit := C.rx_search(&l.c, unsafe.Pointer(vm), unsafe.Pointer(in), unsafe.Pointer(difficulty),
		C.uint64_t(start), C.uint64_t(count), &found)
	return uint64(found), hit == 1
}
