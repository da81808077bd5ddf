package randomx

import (
	"context"
	"fmt"
	"sync"
)

// Hasher computes RandomX hashes under one key. It implements post.PowHasher.
type Hasher struct {
	lib     *library
	flags   Flags
	cache   cachePtr   // light only
	dataset datasetPtr // fast only
	vms     chan vmPtr
	count   int
	closed  chan struct{}
	once    sync.Once
}

// New loads the library and allocates everything a Hasher will ever use. Flags
// that the machine refuses (huge pages; executable memory under W^X policies) are
// given up one by one: large pages, then writable code, then the compiler.
func New(cfg Config) (*Hasher, error) {
	lib, err := loadOnce()
	if err != nil {
		return nil, err
	}
	flags := lib.flags()
	if cfg.Flags != nil {
		flags = *cfg.Flags &^ FlagFullMem
	}
	if cfg.LargePages {
		flags |= FlagLargePages
	}
	var h *Hasher
	for _, f := range fallbacks(flags) {
		if h, err = open(lib, f, cfg); err == nil {
			return h, nil
		}
	}
	return nil, err
}

// fallbacks are the flags to try, from the wish to the least demanding.
func fallbacks(wish Flags) []Flags {
	out := []Flags{wish}
	next := wish
	if next&FlagLargePages != 0 {
		next &^= FlagLargePages
		out = append(out, next)
	}
	if next&FlagJIT != 0 {
		if next&FlagSecure == 0 {
			out = append(out, next|FlagSecure)
		}
		out = append(out, next&^(FlagJIT|FlagSecure))
	}
	return out
}

func open(lib *library, flags Flags, cfg Config) (*Hasher, error) {
	h := &Hasher{lib: lib, flags: flags, count: max(cfg.VMs, 1), closed: make(chan struct{})}
	h.vms = make(chan vmPtr, h.count)
	if h.cache = lib.newCache(flags, cfg.Key); h.cache == nil {
		return nil, fmt.Errorf("%w a cache of 256 MiB (flags %d)", ErrMemory, flags)
	}
	if cfg.Mode == Fast {
		h.flags |= FlagFullMem
		if h.dataset = lib.newDataset(h.flags); h.dataset == nil {
			h.release()
			return nil, fmt.Errorf("%w a dataset of 2080 MiB (flags %d)", ErrMemory, h.flags)
		}
		h.fillDataset(max(cfg.InitCores, 1))
		lib.freeCache(h.cache)
		h.cache = nil
	}
	for range h.count {
		vm := lib.newVM(h.flags, h.cache, h.dataset)
		if vm == nil {
			h.release()
			return nil, fmt.Errorf("%w a machine (flags %d)", ErrMemory, h.flags)
		}
		h.vms <- vm
	}
	return h, nil
}

// fillDataset builds the dataset on several cores; alone it takes a minute.
func (h *Hasher) fillDataset(cores int) {
	items := h.lib.items()
	var wg sync.WaitGroup
	for i := range uint64(cores) {
		from, to := items*i/uint64(cores), items*(i+1)/uint64(cores)
		wg.Go(func() { h.lib.fill(h.dataset, h.cache, from, to-from) })
	}
	wg.Wait()
}

// Flags are the flags in use, after fallbacks.
func (h *Hasher) Flags() Flags { return h.flags }

// Hash is the RandomX hash of input.
func (h *Hasher) Hash(input []byte) (out [32]byte, err error) {
	vm, err := h.take()
	if err != nil {
		return out, err
	}
	defer h.put(vm)
	h.lib.hash(vm, input, &out)
	return out, nil
}

func (h *Hasher) take() (vmPtr, error) {
	select {
	case <-h.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case <-h.closed:
		return nil, ErrClosed
	case vm := <-h.vms:
		return vm, nil
	}
}

func (h *Hasher) put(vm vmPtr) { h.vms <- vm }

// searchStep is how many hashes run between two looks at the context: half a
// second in light mode.
const searchStep = 16

// Search tries the pows [start, end) as the first seven bytes of input until a
// hash is below difficulty (big endian), none is left (found is false) or ctx
// ends.
func (h *Hasher) Search(
	ctx context.Context, input [48]byte, difficulty [32]byte, start, end uint64,
) (pow uint64, found bool, err error) {
	vm, err := h.take()
	if err != nil {
		return 0, false, err
	}
	defer h.put(vm)
	for start < end {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		n := min(searchStep, end-start)
		if pow, found = h.lib.search(vm, &input, &difficulty, start, n); found {
			return pow, true, nil
		}
		start += n
	}
	return 0, false, nil
}

// Close waits for running hashes and frees all memory. Later calls fail with
// ErrClosed.
func (h *Hasher) Close() {
	h.once.Do(func() {
		close(h.closed)
		for range h.count {
			h.lib.freeVM(<-h.vms)
		}
		h.count = 0
		h.release()
	})
}

func (h *Hasher) release() {
	for len(h.vms) > 0 {
		h.lib.freeVM(<-h.vms)
	}
	if h.dataset != nil {
		h.lib.freeDataset(h.dataset)
	}
	if h.cache != nil {
		h.lib.freeCache(h.cache)
	}
	h.dataset, h.cache = nil, nil
}
