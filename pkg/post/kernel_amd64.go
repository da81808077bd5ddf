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

//go:noescape
func fill4avx2(x *mixState, v *uint32, stride, count uint64)

//go:noescape
func mix4avx2(x *mixState, v *uint32, stride, count, mask uint64)

// kernelStep is how many iterations run between two points at which the Go
// scheduler may stop the goroutine: some tenths of a millisecond.
const kernelStep = 1024

// instructions are the vector extensions that there are kernels for.
type instructions byte

const (
	plainGo instructions = iota
	avx2
	avx512
)

func available() instructions {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL:
		return avx512
	case cpu.X86.HasAVX2:
		return avx2
	default:
		return plainGo
	}
}

// preferredLanes is how many labels a batch should bring at once.
func preferredLanes() int { return maxLanes }

// kernelLanes is how many lanes are mixed, and need scratch, for n labels.
func kernelLanes(n int) int { return available().lanes(n) }

func (i instructions) lanes(n int) int {
	switch {
	case i == plainGo || n <= 1:
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
	available().mix(states, lanes, scratch, n)
}

func (i instructions) mix(states *[maxLanes]mixState, lanes int, scratch []uint32, n uint64) {
	wide, stride := i.lanes(lanes), uint64(4*laneWords(n))
	switch {
	case i == plainGo || i == avx2 && wide == 1:
		mixPlain(states[:lanes], scratch, n)
	case i == avx2:
		for l := 0; l < wide; l += 4 {
			mixSteps(&states[l], scratch, stride, n, fill4avx2, mix4avx2)
		}
	case wide == maxLanes:
		mixSteps(&states[0], scratch, stride, n, fill8, mix8)
	case wide == 4:
		mixSteps(&states[0], scratch, stride, n, fill4, mix4)
	default:
		mixSteps(&states[0], scratch, 0, n, fillOne, mixOneVector)
	}
}

func fillOne(x *mixState, v *uint32, _, count uint64)            { fill1(x, v, count) }
func mixOneVector(x *mixState, v *uint32, _, count, mask uint64) { mix1(x, v, count, mask) }

// mixSteps runs both halves of a kernel in steps.
func mixSteps(
	x *mixState, scratch []uint32, stride, n uint64,
	fill func(x *mixState, v *uint32, stride, count uint64),
	mix func(x *mixState, v *uint32, stride, count, mask uint64),
) {
	for done := uint64(0); done < n; done += kernelStep {
		fill(x, &scratch[32*done], stride, min(kernelStep, n-done))
	}
	for done := uint64(0); done < n; done += kernelStep {
		mix(x, &scratch[0], stride, min(kernelStep, n-done), n-1)
	}
}
