package records

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/wire"
)

var genesis = []byte{1, 2, 3}

func document() Document {
	return Document{
		Version: version, Network: "010203", Identity: wire.NodeID{7}, Exported: time.Unix(9, 0).UTC(),
		Signed:     []Slot{{Kind: "atx", Major: 3, Hash: wire.Hash32{5}}},
		Quarantine: []Quarantined{{Kind: "ballot", Through: 8, Reason: "restored"}},
	}
}

func encode(t testing.TB, d Document) []byte {
	raw, err := json.Marshal(&d)
	require.NoError(t, err)
	return raw
}

func TestParse(t *testing.T) {
	want := document()
	got, err := Parse(encode(t, want), genesis)
	require.NoError(t, err)
	require.Equal(t, &want, got)
	for _, spoil := range []func(*Document){
		func(d *Document) { d.Version = 2 },
		func(d *Document) { d.Network = "0102" },
		func(d *Document) { d.Identity = wire.NodeID{} },
		func(d *Document) { d.Signed[0].Kind = "of the next release" },
		func(d *Document) { d.Signed[0].Kind = "poet" },
		func(d *Document) { d.Quarantine[0].Kind = "" },
	} {
		d := document()
		spoil(&d)
		_, err := Parse(encode(t, d), genesis)
		require.Error(t, err)
	}
	_, err = Parse([]byte(`{"version":1,"network":"010203","more":1}`), genesis)
	require.ErrorIs(t, err, ErrDocument)
}

func FuzzParse(f *testing.F) {
	f.Add(encode(f, document()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := Parse(raw, genesis)
		if err != nil {
			return
		}
		again, err := Parse(encode(t, *doc), genesis)
		require.NoError(t, err)
		require.Equal(t, len(doc.Signed), len(again.Signed))
	})
}
