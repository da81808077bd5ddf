package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

// tellLayer hands over hare's output and the weak coin.
func (r *run) tellLayer(ctx context.Context, layer wire.LayerID) error {
	certificates, err := r.feeds.certificates.all(func(c *source.Certificate) bool { return c.Layer <= layer })
	if err != nil {
		return err
	}
	layers, err := r.feeds.layers.all(func(l *source.Layer) bool { return l.Layer <= layer })
	if err != nil || layer <= r.processed {
		return err
	}
	for _, c := range certificates {
		news := bus.LayerNews{Layer: c.Layer, Certificate: c.Blob}
		if c.Blob == nil {
			news.Output = &c.Block
		}
		if err := r.tell(ctx, source.Certificates, fmt.Sprintf("certificate of layer %d", c.Layer), c.Place, news); err != nil {
			return err
		}
		r.tally(source.Certificates).Judged++
		r.tally(source.Certificates).Objects++
	}
	for _, l := range layers {
		if l.WeakCoin != nil && l.Layer > r.genesis {
			name := fmt.Sprintf("weak coin of layer %d", l.Layer)
			if err := r.tell(ctx, source.Layers, name, l.Place, bus.LayerNews{Layer: l.Layer, Coin: l.WeakCoin}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) tell(ctx context.Context, k source.Kind, name string, place source.Place, news bus.LayerNews) error {
	began := time.Now()
	defer func() { r.tally(k).Seconds += time.Since(began).Seconds() }()
	return r.persist(ctx, name, func(ctx context.Context) error {
		j, err := bus.TellLayer().Call(ctx, r.target.Bus(), news)
		if err == nil && j.Verdict != bus.Accept {
			r.compare(k, name, place).differ("verdict", fmt.Sprintf("%s (%s: %s)", j.Verdict, j.Reason, j.Detail), "accepted")
		}
		return err
	})
}

// maxMissing is how often a layer may ask for bodies of blocks.
const maxMissing = 16

// process makes the target process the layer, unless it has, and compares what
// is verified by then.
func (r *run) process(ctx context.Context, layer wire.LayerID) (err error) {
	if layer <= r.processed {
		return nil
	}
	began := time.Now()
	if r.verified, err = r.processWith(ctx, layer); err != nil {
		return err
	}
	t := r.tally(source.Layers)
	t.Seconds += time.Since(began).Seconds()
	t.Objects++
	t.Judged++
	r.processed = layer
	r.progress.Layer(layer, r.last)
	return r.compared.upTo(ctx, min(r.verified, r.settled))
}

// processWith processes a layer with all the blocks that it wants.
func (r *run) processWith(ctx context.Context, layer wire.LayerID) (verified wire.LayerID, err error) {
	for range maxMissing {
		var reply bus.ProcessReply
		err := r.persist(ctx, fmt.Sprintf("process layer %d", layer), func(ctx context.Context) (err error) {
			reply, err = bus.ProcessLayer().Call(ctx, r.target.Bus(), bus.ProcessRequest{Layer: layer})
			return err
		})
		if err != nil || len(reply.Missing) == 0 {
			return min(reply.Verified, reply.InState), err
		}
		missing := make(map[bus.Missing]struct{})
		for _, id := range reply.Missing {
			missing[bus.Missing{Kind: bus.KindBlock, Hash: wire.Pad32(id)}] = struct{}{}
		}
		found, err := r.supply(ctx, missing, 0)
		if err != nil {
			return 0, err
		}
		if !found {
			return 0, fmt.Errorf("the node wants %s, which the source does not have", describe(missing))
		}
	}
	return 0, errors.New("the node wants ever more blocks")
}
