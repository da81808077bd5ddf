package vm_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/vm"
)

// A layer's signatures may be checked on several cores, each with its part. Bad
// signatures stay unmarked wherever the parts are cut, and a layer applies the
// same with and without the marks.
func TestPreverifyInParts(t *testing.T) {
	accounts, in := spends(t, 700, true)
	for _, bad := range []int{0, 255, 256, 399, 699} {
		raw := slices.Clone(in.Txs[bad].Raw)
		raw[len(raw)-1] ^= 1
		in.Txs[bad].Raw = raw
	}
	m := benchMachine()
	plain, err := m.Apply(in, accounts)
	require.NoError(t, err)
	require.Len(t, plain.Ineffective, 5)

	var group sync.WaitGroup
	for part := range slices.Chunk(in.Txs, 350) {
		group.Go(func() {
			if err := m.Preverify(part, accounts); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i, tx := range in.Txs {
		require.Equal(t, !slices.Contains([]int{0, 255, 256, 399, 699}, i), tx.Verified, "transaction %d", i)
	}
	marked, err := m.Apply(in, accounts)
	require.NoError(t, err)
	require.Equal(t, plain, marked)
	require.Equal(t, vm.RuleSignature, marked.Ineffective[0].Reason)
}
