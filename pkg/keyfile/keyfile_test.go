package keyfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorKeyFile(t *testing.T) {
	type keyCase struct {
		Content   string      `json:"content"`
		Accepted  bool        `json:"accepted"`
		PublicKey vectors.Hex `json:"public_key"`
		Seed      vectors.Hex `json:"seed"`
	}
	vectors.Run(t, "crypto/key_file", func(t *testing.T, c keyCase) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.key"), []byte(c.Content), 0o600))
		found, err := Load(dir)
		if !c.Accepted {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, "a.key", found[0].Name)
		require.Equal(t, wire.NodeID(c.PublicKey), found[0].Key.NodeID())
		require.Equal(t, c.Seed.Array32(), found[0].Key.Seed())
	})
}

func TestDirectoryRules(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Dir)
	_, err := Load(dir)
	require.ErrorIs(t, err, ErrNoKeys)

	created, err := LoadOrCreate(dir)
	require.NoError(t, err)
	require.Equal(t, LocalName, created[0].Name)
	again, err := LoadOrCreate(dir)
	require.NoError(t, err)
	require.Equal(t, created, again)
	info, err := os.Stat(filepath.Join(dir, LocalName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.ErrorIs(t, Store(dir, created[0]), os.ErrExist)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub.key"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	_, err = Load(dir)
	require.NoError(t, err, "directories and other files are not looked at")

	require.NoError(t, Store(dir, Identity{"b.key", signing.NewKey([32]byte{2})}))
	_, err = Load(dir)
	require.ErrorIs(t, err, ErrMixed)

	require.NoError(t, os.Remove(filepath.Join(dir, LocalName)))
	require.NoError(t, Store(dir, Identity{"a.key", signing.NewKey([32]byte{1})}))
	found, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"a.key", "b.key"}, []string{found[0].Name, found[1].Name})

	require.NoError(t, Store(dir, Identity{"c.key", signing.NewKey([32]byte{1})}))
	_, err = Load(dir)
	require.ErrorIs(t, err, ErrDuplicate)
}

func TestKeysOpenToOthersAreRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), Dir)
	_, err := LoadOrCreate(dir)
	require.NoError(t, err)
	path := filepath.Join(dir, LocalName)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		require.NoError(t, os.Chmod(path, mode))
		_, err = Load(dir)
		require.ErrorIs(t, err, ErrExposed)
		require.ErrorContains(t, err, "chmod 600 "+path)
	}
	require.NoError(t, os.Chmod(path, 0o600))
	_, err = Load(dir)
	require.NoError(t, err)
}

func FuzzParse(f *testing.F) {
	f.Add(Format(signing.NewKey([32]byte{1})))
	f.Fuzz(func(t *testing.T, content []byte) {
		if key, err := Parse(content); err == nil {
			require.Len(t, content, Size)
			again, err := Parse(Format(key))
			require.NoError(t, err)
			require.Equal(t, key, again)
		}
	})
}
