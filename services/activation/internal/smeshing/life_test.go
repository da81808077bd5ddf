package smeshing

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/network"
)

// An identity goes through epochs, with one ATX in each, of either version.
func TestThreeEpochs(t *testing.T) {
	for _, version := range []uint8{1, 2} {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			n := testNetwork()
			n.ATXVersions = []network.ATXVersion{{Epoch: 0, Version: version}}
			p := newSite(t, n, 1, 300, 700)
			w := p.start(t, newDB(t), nil, nil)
			w.drive(t, func() bool { return w.published(t) == 3 })
			list := w.atxs(t)
			require.Len(t, list, 3)
			for i, a := range list {
				require.EqualValues(t, i+1, a.Publish)
				m, err := atx.Decode([]byte(a.Blob), n.ATXVersions)
				require.NoError(t, err)
				require.Equal(t, version, m.Version())
				require.Equal(t, w.cfg.Coinbase, m.Coinbase())
			}
			require.Equal(t, 3, w.count(t, "atxs WHERE tick_count = 7"), "the longer proof wins")
			require.Zero(t, w.count(t, "niposts"))
			w.sane(t)
			for kind, n := range map[string]int{
				"init_start": 1, "init_complete": 1, "post_start": 4, "post_complete": 4, "poet_registered": 6,
				"poet_wait_proof": 3, "poet_proof_downloaded": 6, "poet_best_proof": 3, "atx_published": 3, "activation_stored": 3,
			} {
				require.GreaterOrEqual(t, w.count(t, "outbox WHERE subject = 'events.activation."+kind+"'"), n, kind)
			}
		})
	}
}

// A process that dies between any two steps is followed by one that makes the
// same ATXs, byte by byte.
func TestCrashBetweenSteps(t *testing.T) {
	p := newSite(t, testNetwork(), 1, 300)
	var places []string
	w := p.start(t, newDB(t), nil, func(place string) error { places = append(places, place); return nil })
	w.drive(t, func() bool { return w.published(t) >= 2 })
	w.stop()
	want := w.atxs(t)
	last, fixed := 0, 0
	for i, place := range places {
		switch place {
		case "after publish":
			last = i
		case "after nipost":
			fixed = i
		}
	}
	for at := range places[:last+1] {
		t.Run(fmt.Sprintf("%d/%s", at, places[at]), func(t *testing.T) {
			p.clock.set(p.network.Genesis.Time)
			db, n, died := newDB(t), 0, make(chan struct{})
			w := p.start(t, db, nil, func(string) error {
				if n++; n == at+1 {
					close(died)
				}
				if n > at {
					return errCrash
				}
				return nil
			})
			w.drive(t, func() bool {
				select {
				case <-died:
					return true
				default:
					return false
				}
			})
			w.stop()
			w = p.start(t, db, func(c *Config) {
				if at >= fixed { // now it must not matter
					c.Coinbase[0]++
				}
			}, nil)
			w.drive(t, func() bool { return len(w.atxs(t)) >= 2 && w.published(t) >= 2 })
			require.Equal(t, want, w.atxs(t)[:2])
			w.sane(t)
		})
	}
}
