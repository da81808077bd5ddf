//go:build !amd64

package sha256x

func supported() bool { return false }

// An engine that is not native never reaches these.
func chainNative(*[32]byte, int) {}

func chainPairNative(_, _ *[32]byte, _ int) {}

func blocksNative(*[32]byte, *byte, int) {}
