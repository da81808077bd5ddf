package nice

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Levels: the kernel gives the last what nobody else wants.
const (
	Proving      = 10
	Initializing = 19
)

// Thread lowers the priority of the calling goroutine's thread, for the rest of
// the goroutine's life: the thread ends with it, because nobody may raise a
// priority again. Level 0 does nothing. Where the kernel refuses, nothing changes.
func Thread(level int) {
	if level <= 0 {
		return
	}
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), level)
}
