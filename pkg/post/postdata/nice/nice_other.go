//go:build !linux

package nice

// Levels.
const (
	Proving      = 10
	Initializing = 19
)

// Thread does nothing on this system.
func Thread(int) {}
