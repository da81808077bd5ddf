package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
)

// TestTheMapIsComplete looks for every package below pkg/ and every vector file
// in docs/map.md.
func TestTheMapIsComplete(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "map.md"))
	require.NoError(t, err)
	text := string(raw)
	for _, f := range sources(t) {
		dir := f.dir()
		if !strings.HasPrefix(dir, "pkg/") || f.isTest() {
			continue
		}
		if strings.Contains(dir, "/internal") || strings.HasPrefix(dir, "pkg/store/read/") || dir == "pkg/post/postdata/cpu" {
			continue // part of the package above
		}
		require.True(t, strings.Contains(text, "`"+dir+"`"), "%s is not in docs/map.md", dir)
	}
	files, err := filepath.Glob(filepath.Join(vectors.Dir(), "*", "*.json*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		area := filepath.Base(filepath.Dir(path))
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		require.True(t, strings.Contains(text, "`"+area+"/"+name+"`"), "%s/%s is not in docs/map.md", area, name)
	}
}
