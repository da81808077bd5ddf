package nice_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/smeshery/smeshery/pkg/post/postdata/nice"
)

func TestOnlyThisThreadYields(t *testing.T) {
	priority := func() int {
		// The kernel answers 20 minus the level.
		p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
		require.NoError(t, err)
		return 20 - p
	}
	before := priority()
	levels := make(chan int)
	go func() {
		nice.Thread(nice.Initializing)
		levels <- priority()
	}()
	require.Equal(t, nice.Initializing, <-levels)
	go func() {
		nice.Thread(0)
		levels <- priority()
	}()
	require.Equal(t, before, <-levels)
}
