//go:build !linux

package worker

import "runtime"

// lowerPriority keeps the calling goroutine on its thread.
func lowerPriority(int) { runtime.LockOSThread() }
