package k2pow

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestPathKeepsItsTask(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 73, 73).Draw(t, "bytes")
		want := post.PowTask{
			Group: b[0], NodeID: wire.NodeID(b[1:33]), Challenge: [8]byte(b[33:41]), Difficulty: [32]byte(b[41:]),
		}
		got, err := ParsePath(Path(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestPathIsTheServices(t *testing.T) {
	task := post.PowTask{Group: 255, Challenge: [8]byte{0xab}}
	url := URL("http://host:3000/", task)
	require.Equal(t, "http://host:3000/job/0000000000000000000000000000000000000000000000000000000000000000/255/"+
		"ab00000000000000/0000000000000000000000000000000000000000000000000000000000000000", url)
}

func TestMalformedPaths(t *testing.T) {
	good := Path(post.PowTask{})
	for _, path := range []string{"", "/job/", "/job/1/2/3/4", good + "/", good[:len(good)-1], good[1:]} {
		_, err := ParsePath(path)
		require.ErrorIs(t, err, ErrPath, path)
	}
}

func TestAnswers(t *testing.T) {
	pow, done, err := Answer(StatusDone, []byte("123"))
	require.NoError(t, err)
	require.True(t, done)
	require.EqualValues(t, 123, pow)
	for _, status := range []int{StatusStarted, StatusBusy} {
		_, done, err = Answer(status, nil)
		require.NoError(t, err)
		require.False(t, done)
	}
	_, _, err = Answer(StatusFailed, []byte("no memory"))
	require.ErrorIs(t, err, ErrFailed)
	_, _, err = Answer(404, nil)
	require.ErrorIs(t, err, ErrAnswer)
	_, _, err = Answer(StatusDone, []byte("x"))
	require.ErrorIs(t, err, ErrAnswer)
}

func FuzzParsePath(f *testing.F) {
	f.Add(Path(post.PowTask{Group: 7}))
	f.Fuzz(func(t *testing.T, path string) {
		if task, err := ParsePath(path); err == nil {
			again, err := ParsePath(Path(task))
			require.NoError(t, err)
			require.Equal(t, task, again)
		}
	})
}
