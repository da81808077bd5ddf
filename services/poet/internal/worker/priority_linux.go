package worker

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// lowerPriority makes the calling goroutine's thread nice and keeps it there.
func lowerPriority(nice int) {
	runtime.LockOSThread()
	if nice > 0 {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice) // a wish
	}
}
