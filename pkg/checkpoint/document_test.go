package checkpoint

import (
	"encoding/json"
	"strings"
	"testing"

	check "github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

// The document's types hold everything that stands in a document, in its order.
func TestVectorsDocument(t *testing.T) {
	type document struct {
		Name  string      `json:"name"`
		JSON  string      `json:"json"`
		Bytes vectors.Hex `json:"bytes"`
		Text  string      `json:"text"`
	}
	vectors.Run(t, "types/checkpoint", func(t *testing.T, c document) {
		if c.JSON != "" {
			var file fileJSON
			check.NoError(t, json.Unmarshal([]byte(c.JSON), &file))
			again, err := json.Marshal(&file)
			check.NoError(t, err)
			check.Equal(t, c.JSON, string(again))
			return
		}
		form, parse := wire.Base64, wire.ParseBase64
		if strings.HasPrefix(c.Name, "text/hash") {
			form, parse = wire.Hex, wire.ParseHex
		}
		check.Equal(t, c.Text, form(c.Bytes))
		got := make([]byte, len(c.Bytes))
		check.NoError(t, parse(c.Text, got))
		check.Equal(t, []byte(c.Bytes), got)
	})
}
