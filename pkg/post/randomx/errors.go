package randomx

import "errors"

// Errors of opening a Hasher.
var (
	// ErrUnavailable says that there is no library to hash with.
	ErrUnavailable = errors.New("randomx: librandomx is not usable; install Debian's package librandomx-dev")
	// ErrMemory says that the library could not allocate a cache (256 MiB), a
	// dataset (2080 MiB) or a machine with any set of flags.
	ErrMemory = errors.New("randomx: cannot allocate")
	// ErrClosed says that the Hasher was closed.
	ErrClosed = errors.New("randomx: hasher is closed")
)

// Mode is the trade of memory against speed. Hashes are the same.
type Mode uint8

const (
	// Light needs 256 MiB: some 15–30 ms a hash. For verification.
	Light Mode = iota
	// Fast needs 2080 MiB and seconds to minutes to open: some 3–5 ms a hash.
	// For solving, and for hosts that verify all day.
	Fast
)

// Flags are the bits of the library (spec 02 §11.3).
type Flags uint32

// The flags.
const (
	FlagLargePages  Flags = 1
	FlagHardAES     Flags = 2
	FlagFullMem     Flags = 4
	FlagJIT         Flags = 8
	FlagSecure      Flags = 16
	FlagArgon2SSSE3 Flags = 32
	FlagArgon2AVX2  Flags = 64
)

// Config opens a Hasher.
type Config struct {
	Key        []byte // of the cache; post.PowKey for every network
	Mode       Mode
	VMs        int    // hashes at the same time, at least 1
	LargePages bool   // try huge pages first
	Flags      *Flags // instead of what the processor supports; FULL_MEM is set by Mode
	InitCores  int    // goroutines that build the dataset, at least 1
}
