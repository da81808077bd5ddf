package storetest_test

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
)

var notes = store.Schema{Name: "notes", Parts: []store.Part{{
	Name:  "notes",
	Files: fstest.MapFS{"0001_init.up.sql": {Data: []byte("CREATE TABLE note (id bigint PRIMARY KEY)")}},
}}}

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	for range 3 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			db := storetest.DB(t, notes)
			_, err := db.Exec(t.Context(), "INSERT INTO note VALUES (1)")
			require.NoError(t, err)
		})
	}
}

func TestTheServerStaysForAsLongAsWeHoldItsLock(t *testing.T) {
	storetest.DB(t)
	path := filepath.Join(os.TempDir(), "smeshery-storetest-"+strconv.Itoa(os.Getuid()), "users.lock")
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.ErrorIs(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

func BenchmarkDB(b *testing.B) {
	storetest.URL(b, notes)
	for b.Loop() {
		storetest.URL(b, notes)
	}
}
