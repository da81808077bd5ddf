package post

import "golang.org/x/sys/cpu"

//go:noescape
func fill8(x *mixState, v *uint32, stride, count uint64)

//go:noescape
func mix8(x *mixState, v *uint32, stride, count, mask uint64)

//go:noescape
func fill4(x *mixState, v *uint32, stride, count uint64)

//go:noescape
func mix4(x *mixState, v *uint32, stride, count, mask uint64)

//go:noescape
func fill1(x *mixState, v *uint32, count uint64)

//go:noescape
func mix1(x *mixState, v *uint32, count, mask uint64)

// kernelStep is how many iterations run between two points at which the Go
// scheduler may stop the goroutine: some tenths of a millisecond.
const kernelStep = 1024

func hasKernel() bool { return cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL }

// preferredLanes is how many labels a batch should bring at once.
func preferredLanes() int { return maxLanes }

// kernelLanes is how many lanes are mixed, and need scratch, for n labels.
func kernelLanes(n int) int {
	switch {
	case !hasKernel() || n <= 1:
		return n
	case n <= 4:
		return 4
	default:
		return maxLanes
	}
}

// mixLanes mixes the first lanes states. Kernels of more lanes mix whatever the
// states behind them hold.
func mixLanes(states *[maxLanes]mixState, lanes int, scratch []uint32, n uint64) {
	if !hasKernel() {
		mixPlain(states[:lanes], scratch, n)
		return
	}
	x, v, stride := &states[0], &scratch[0], uint64(4*laneWords(n))
	wide := kernelLanes(lanes)
	for done := uint64(0); done < n; done += kernelStep {
		v, count := &scratch[32*done], min(kernelStep, n-done)
		switch wide {
		case 1:
			fill1(x, v, count)
		case 4:
			fill4(x, v, stride, count)
		default:
			fill8(x, v, stride, count)
		}
	}
	for done := uint64(0); done < n; done += kernelStep {
		count := min(kernelStep, n-done)
		switch wide {
		case 1:
			mix1(x, v, count, n-1)
		case 4:
			mix4(x, v, stride, count, n-1)
		default:
			mix8(x, v, stride, count, n-1)
		}
	}
}
