package sha256x

import "github.com/klauspost/cpuid/v2"

func supported() bool {
	return cpuid.CPU.Supports(cpuid.SHA, cpuid.SSSE3, cpuid.SSE4)
}

// chainNative replaces digest by its n-fold SHA-256.
//
//go:noescape
func chainNative(digest *[32]byte, n int)

// chainPairNative does the same for two independent digests.
//
//go:noescape
func chainPairNative(first, second *[32]byte, n int)

// blocksNative hashes n complete, padded message blocks.
//
//go:noescape
func blocksNative(digest *[32]byte, blocks *byte, n int)
